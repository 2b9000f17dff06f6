// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own fault injection, where it has it: one set of attributes for each
 * point of a fault plan, for all caches and pools.  Documentation/fault-injection
 * of the kernel says what they mean.
 *
 * They are written by files of the kernel's, which tell nobody; so here they are
 * looked at where an allocation is made, and on such a kernel by a pool's fast path
 * as well.
 */
#include <linux/export.h>
#include <linux/fault-inject.h>
#include <linux/kernel.h>

#include "internal.h"

struct fault_attr fault_attrs[NR_FAULT_POINTS] = {
	[0 ... NR_FAULT_POINTS - 1] = FAULT_ATTR_INITIALIZER,
};
EXPORT_SYMBOL_IF_KUNIT(fault_attrs);

/**
 * fault_attr_fails() - is an allocation to fail?
 * @point: which kind of allocation
 *
 * A task's fail-nth only counts here while the point's probability is not 0.
 *
 * Context: any.
 * Return: true if it is to fail.
 */
bool fault_attr_fails(enum fault_point point)
{
	return fault_attr_on(point) && should_fail(&fault_attrs[point], 1);
}

/**
 * fault_attr_hide() - let go of the directories of fault_attr_show()
 *
 * Before they are removed, as what is held of them would stay for ever.
 */
void fault_attr_hide(void)
{
	int i;

	for (i = 0; i < NR_FAULT_POINTS; i++)
		compat_fault_attr_put(&fault_attrs[i]);
}

/**
 * fault_attr_show() - show the attributes
 * @dir: the directory that they go into, as fail_setup and so on
 */
void fault_attr_show(struct dentry *dir)
{
	char name[16];
	int i;

	for (i = 0; i < NR_FAULT_POINTS; i++) {
		snprintf(name, sizeof(name), "fail_%s", fault_point_names[i]);
		fault_create_debugfs_attr(name, dir, &fault_attrs[i]);
	}
}
