// SPDX-License-Identifier: GPL-2.0
/*
 * mpslab: a slab allocator with per-CPU array caches and a memory pool with a
 * guaranteed reserve, as a module.  This file puts the parts in order.
 */
#include <linux/module.h>

#include "internal.h"

static int __init mpslab_init(void)
{
	int err;

	slab_random_init();
	near_node_init();
	err = fault_init();
	if (err)
		return err;
	err = debugfs_root_init();
	if (err)
		goto no_root;
	err = slab_regions_init();
	if (err)
		goto no_regions;
	err = slab_dropin_init();
	if (err)
		goto no_dropin;
	err = slab_reap_init();
	if (err)
		goto no_reap;
	return 0;

no_reap:
	slab_dropin_exit();
no_dropin:
	slab_regions_exit();
no_regions:
	debugfs_root_exit();
no_root:
	fault_exit();
	return err;
}

static void __exit mpslab_exit(void)
{
	slab_reap_exit();
	slab_dropin_exit();
	slab_regions_exit();
	debugfs_root_exit();
	fault_exit();
}

module_init(mpslab_init);
module_exit(mpslab_exit);

MODULE_DESCRIPTION("Slab allocator with per-CPU array caches and memory pool");
MODULE_LICENSE("GPL");
