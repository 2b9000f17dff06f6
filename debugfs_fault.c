// SPDX-License-Identifier: GPL-2.0
/*
 * The files of fault plans: a directory "fault" of each cache and pool, and one for
 * all, with a file for each point.  What is written there is told in fault_plan.c.
 */
#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "debugfs_file.h"

static int plan_show(struct seq_file *m, void *v)
{
	fault_plan_show(m, m->private);
	return 0;
}

/* One line, with at most one newline after it, and no NUL that hides a tail. */
static ssize_t plan_set(struct fault_plan *plan, const char __user *buf,
			size_t count)
{
	char text[FAULT_TEXT_LEN];
	int err;

	if (!count || count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (strlen(text) != count)
		return -EINVAL;
	if (text[count - 1] == '\n')
		text[count - 1] = '\0';
	err = fault_plan_write(plan, text);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(plan, plan_set);

/**
 * debugfs_fault_add() - show plans
 * @parent: directory of what they are about
 * @set: the plans
 * @points: a bit for each that it has
 *
 * Context: may sleep; none of the locks of internal.h.
 * Return: true if all are there.
 */
bool debugfs_fault_add(struct dentry *parent, struct fault_set *set,
		       unsigned long points)
{
	struct dentry *dir = debugfs_dir("fault", parent);
	struct debugfs_file file = { .mode = 0600, .fops = &plan_fops };
	unsigned long point;

	if (IS_ERR(dir))
		return false;
	for_each_set_bit(point, &points, NR_FAULT_POINTS) {
		file.name = fault_point_names[point];
		if (!debugfs_files(dir, &file, 1, &set->plan[point]))
			return false;
	}
	if (set == &fault_all)
		fault_attr_show(dir);
	return true;
}
