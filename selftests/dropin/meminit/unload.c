// SPDX-License-Identifier: GPL-2.0
/* test_meminit.c has no exit, so that it could be loaded once only. */
#include <linux/module.h>

static void __exit unload(void)
{
}
module_exit(unload);
