/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"
#include "plugin/registry.h"
#include "scaffold/scaffold.h"

static const char examples[] = "  dovetail new aligner my-aligner\n"
                               "  dovetail new backbone plain ~/src/plain\n";

static gboolean find_kind(const char *text, enum dvt_kind *kind) {
  const char *names[DVT_KIND_DATASET];
  for (*kind = DVT_KIND_BACKBONE; *kind <= DVT_KIND_DATASET; ++*kind) {
    names[*kind - 1] = registry_kind_name(*kind);
    if (!strcmp(text, names[*kind - 1])) return TRUE;
  }
  g_autofree char *hint = nearest_hint(text, names, G_N_ELEMENTS(names));
  fprintf(stderr, "dovetail: unknown kind of plugin '%s'%s\n", text, hint);
  return FALSE;
}

int cli_new(int argc, char **argv) {
  const GOptionEntry entries[] = {{0}};
  int status;
  enum dvt_kind kind;
  if (!cli_options("new", "KIND NAME [DIR]", examples, entries, &argc, &argv, &status)) return status;
  if (argc < 3 || argc > 4) {
    fputs("dovetail: new wants a kind (aligner, backbone, dataset or head), a name, and a folder if it is not to have "
          "that name\n",
          stderr);
    return DOVETAIL_WRONG;
  }
  if (!find_kind(argv[1], &kind)) return DOVETAIL_WRONG;
  const char *name = argv[2], *folder = argc == 4 ? argv[3] : name;
  g_autoptr(GError) error = NULL;
  if (!scaffold_write(kind, name, folder, &error)) return cli_fail(error);
  printf("%s: a new %s; 'make check' builds it, checks it and trains with it\n", folder, argv[1]);
  return 0;
}
