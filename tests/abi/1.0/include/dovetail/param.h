/* SPDX-License-Identifier: MIT */
/**
 * Parameters of a plugin, as an experiment sets them under `params:`. The plugin declares a table; the host checks the
 * experiment against it, and hands `create` one value for each row, in the table's order: a plugin never sees a value
 * of another type, outside the range or the choices. What no table can say (depth = 6n + 2), `create` refuses.
 */
#ifndef DOVETAIL_PARAM_H
#define DOVETAIL_PARAM_H

#include <dovetail/abi.h>

enum dvt_type {
  DVT_TYPE_INT = 1, /**< dvt_value.integer */
  DVT_TYPE_FLOAT,   /**< dvt_value.number; always finite */
  DVT_TYPE_BOOL,    /**< dvt_value.integer, 0 or 1 */
  DVT_TYPE_STRING,  /**< dvt_value.string; one of the choices where there are any */
  DVT_TYPE_PATH,    /**< dvt_value.string; the host makes it absolute, relative to the experiment's file */
  DVT_TYPE_STRINGS  /**< dvt_value.strings[0 .. count); an experiment writes a list, or one string */
};

/** One row of a parameter table. Everything is constant and lives as long as the plugin. */
struct dvt_param {
  const char *name; /**< lower case, words joined by '_'; unique in the table */
  uint32_t type;    /**< enum dvt_type */
  uint32_t reserved;
  const char *initial;        /**< the default, written as in an experiment ("" for an empty list); NULL: required */
  double least, greatest;     /**< range of INT and FLOAT, both ends included; least == greatest: no limit */
  const char *const *choices; /**< STRING and STRINGS: NULL-terminated; NULL: anything */
  const char *unit;           /**< "degrees", "pixels", …; NULL: none */
  const char *doc;            /**< one sentence */
};

/** A checked value. Strings belong to the host and live until `create` returns. Never changes within ABI 1. */
struct dvt_value {
  uint32_t type;  /**< enum dvt_type */
  uint32_t count; /**< STRINGS: how many; else 1 */
  union {
    int64_t integer;
    double number;
    const char *string;
    const char *const *strings;
  };
};

#endif
