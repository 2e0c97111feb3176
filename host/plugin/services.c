/* SPDX-License-Identifier: MIT */
typedef int not_yet_written;
