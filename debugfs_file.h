/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files that show things in debugfs share: how a file is written, how a
 * directory is filled.  See debugfs.c.
 */
#ifndef MPSLAB_DEBUGFS_FILE_H
#define MPSLAB_DEBUGFS_FILE_H

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/types.h>

/* A symbol and its module, with the end. */
#define SYMBOL_LEN		128

/* DEFINE_SHOW_ATTRIBUTE() for a file that is written too: @__write gets data. */
#define DEFINE_SHOW_WRITE(__name, __write)				\
static int __name ## _open(struct inode *inode, struct file *file)	\
{									\
	return single_open(file, __name ## _show, inode->i_private);	\
}									\
									\
static ssize_t __name ## _write(struct file *file,			\
				const char __user *buf, size_t count,	\
				loff_t *ppos)				\
{									\
	return __write(file_inode(file)->i_private, buf, count);	\
}									\
									\
static const struct file_operations __name ## _fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= __name ## _open,				\
	.read		= seq_read,					\
	.write		= __name ## _write,				\
	.llseek		= seq_lseek,					\
	.release	= single_release,				\
}

/* A file that only takes a 1, and then calls @__action. */
#define DEFINE_TRIGGER(__name, __action)				\
static ssize_t __name ## _write(struct file *file,			\
				const char __user *buf, size_t count,	\
				loff_t *ppos)				\
{									\
	int err = debugfs_read_one(buf, count);					\
									\
	if (err)							\
		return err;						\
	__action(file_inode(file)->i_private);				\
	return count;							\
}									\
									\
static const struct file_operations __name ## _fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= simple_open,					\
	.write		= __name ## _write,				\
	.llseek		= noop_llseek,					\
}

/* The same, for an @__action that may fail. */
#define DEFINE_ACTION(__name, __action)					\
static ssize_t __name ## _write(struct file *file,			\
				const char __user *buf, size_t count,	\
				loff_t *ppos)				\
{									\
	int err = debugfs_read_one(buf, count);				\
									\
	if (!err)							\
		err = __action(file_inode(file)->i_private);		\
	return err ? err : count;					\
}									\
									\
static const struct file_operations __name ## _fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= simple_open,					\
	.write		= __name ## _write,				\
	.llseek		= noop_llseek,					\
}

struct mpslab_cache;

/* A file of a directory. */
struct debugfs_file {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
};

/* ------------------------------------------------------------- debugfs.c -- */

int debugfs_read_number(const char __user *buf, size_t count,
			unsigned int *val);
int debugfs_read_one(const char __user *buf, size_t count);
void debugfs_symbol(char *to, size_t len, unsigned long addr);
void debugfs_stack(struct seq_file *m, const unsigned long *entries,
		   unsigned int nr);
void debugfs_escape(struct seq_file *m, const char *text);
struct dentry *debugfs_dir(const char *name, struct dentry *parent);
bool debugfs_files(struct dentry *dir, const struct debugfs_file *file,
		   unsigned int nr, void *data);

/* ------------------------------------------------------- debugfs_fault.c -- */

bool debugfs_fault_add(struct dentry *parent, struct fault_set *set,
		       unsigned long points);

/* ------------------------------------------------------- debugfs_debug.c -- */

bool debugfs_debug_add(struct mpslab_cache *cache, struct dentry *dir);

/* -------------------------------------------------------- debugfs_pool.c -- */

bool debugfs_pools_init(struct dentry *root);

#endif /* MPSLAB_DEBUGFS_FILE_H */
