// SPDX-License-Identifier: GPL-2.0
/* DEBUG and no pr_fmt(): the other half of mpslab_dropin_printk.h. */
#define DEBUG

#include <linux/bsearch.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/net.h>

static int compare(const void *a, const void *b)
{
	return *(const u8 *)a - *(const u8 *)b;
}

static int __init probe_init(void)
{
	if (!bsearch("b", "abc", 3, 1, compare))
		return -ENOENT;
	pr_debug("debug %d\n", 1);
	pr_devel("devel %d\n", 2);
	pr_debug_ratelimited("limited %d\n", 3);
	net_dbg_ratelimited("net %d\n", 4);
	pr_err_ratelimited("error %d\n", 5);
	dev_dbg_ratelimited(NULL, "device %d\n", 6);
	return -ENODEV;
}
module_init(probe_init);

MODULE_DESCRIPTION("DEBUG with mpslab_dropin.h");
MODULE_LICENSE("GPL");
