/* SPDX-License-Identifier: MIT */
/** The files below templates/, built into the program. */
#ifndef SCAFFOLD_TEMPLATES_H
#define SCAFFOLD_TEMPLATES_H

struct template_file {
  const char *kind; /**< of plugin, or "common" */
  const char *name; /**< of the file; "gitignore" stands for ".gitignore" */
  int mode;         /**< before the umask */
  const char *text; /**< in which @NAME@ and @KIND@ are to be replaced */
};

/** Ends with one without a kind. */
extern const struct template_file template_files[];

#endif
