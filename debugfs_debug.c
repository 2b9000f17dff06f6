// SPDX-License-Identifier: GPL-2.0
/*
 * Debugging of a cache, in its directory:
 *
 *	debug		what is looked at: letters of FZPU, or -; sample=N
 *	errors		what clients did wrong, by kind
 *	validate	looks at every slab now, when it is read
 *	alloc_traces	who has objects, by stack, most first
 *	leaks		the same, oldest first
 *	free_traces	who freed the objects that are free, by stack
 */
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "debugfs_file.h"

/* "FZPU sample=4294967295", newline and end. */
#define DEBUG_WRITE_LEN		32

static int debug_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	char text[DEBUG_TEXT_LEN];

	debug_print(READ_ONCE(cache->debug), text);
	seq_printf(m, "%s sample=%u\n", text, READ_ONCE(cache->sample));
	return 0;
}

static ssize_t debug_set(struct mpslab_cache *cache, const char __user *buf,
			 size_t count)
{
	char text[DEBUG_WRITE_LEN];
	struct debug_wish wish;
	size_t len;
	int err;

	if (!count || count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (strlen(text) != count)
		return -EINVAL;
	len = text[count - 1] == '\n' ? count - 1 : count;
	text[len] = '\0';
	err = debug_parse(text, len, &wish);
	if (!err)
		err = cache_debug_set(cache, wish.options, wish.sample);
	return err ?: count;
}

DEFINE_SHOW_WRITE(debug, debug_set);

static int errors_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	enum cache_error error;

	for (error = 0; error < NR_CACHE_ERRORS; error++)
		seq_printf(m, "%-26s %ld\n", cache_error_name(error),
			   atomic_long_read(&cache->errors[error]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(errors);

static int validate_show(struct seq_file *m, void *v)
{
	struct validation val;

	cache_validate(m->private, &val);
	seq_printf(m, "slabs %lu, of them debugged %lu with %lu objects, wrong %lu\n",
		   val.slabs, val.debugged, val.objects, val.wrong);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(validate);

/* --------------------------------------------------------------------- traces -- */

static void *traces_start(struct seq_file *m, loff_t *pos)
{
	struct traces **traces = m->private;

	return *pos < (*traces)->nr ? (*traces)->sums[*pos] : NULL;
}

static void *traces_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return traces_start(m, pos);
}

static void traces_stop(struct seq_file *m, void *v)
{
}

static u64 age_us(const struct traces *traces, u64 when)
{
	return div_u64(age_ns(traces->now, when), NSEC_PER_USEC);
}

static int traces_show(struct seq_file *m, void *v)
{
	struct traces **traces = m->private;
	struct trace_sum *sum = v;
	unsigned long *entries;
	unsigned int nr;

	seq_printf(m, "%lu objects", sum->count);
	if (!sum->oldest) {
		seq_puts(m, ", not traced\n\n");
		return 0;
	}
	seq_printf(m, ", age %llu .. %llu us, pid %d .. %d, cpus %*pbl\n",
		   age_us(*traces, sum->newest), age_us(*traces, sum->oldest),
		   sum->pid_min, sum->pid_max, cpumask_pr_args(sum->cpus));
	nr = compat_stack_fetch(sum->stack, &entries);
	debugfs_stack(m, entries, nr);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations traces_sops = {
	.start	= traces_start,
	.next	= traces_next,
	.stop	= traces_stop,
	.show	= traces_show,
};

/* All is collected when the file is opened, so that its parts fit together. */
static int traces_open(struct inode *inode, struct file *file,
		       enum trace_kind kind)
{
	struct traces **traces;

	traces = setup_alloc(__seq_open_private(file, &traces_sops,
						sizeof(*traces)));
	if (!traces)
		return -ENOMEM;
	*traces = traces_collect(inode->i_private, kind);
	if (*traces)
		return 0;
	seq_release_private(inode, file);
	return -ENOMEM;
}

static int traces_release(struct inode *inode, struct file *file)
{
	struct traces **traces = ((struct seq_file *)file->private_data)->private;

	traces_free(*traces);
	return seq_release_private(inode, file);
}

#define DEFINE_TRACES(__name, __kind)					\
static int __name ## _open(struct inode *inode, struct file *file)	\
{									\
	return traces_open(inode, file, __kind);			\
}									\
									\
static const struct file_operations __name ## _fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= __name ## _open,				\
	.read		= seq_read,					\
	.llseek		= seq_lseek,					\
	.release	= traces_release,				\
}

DEFINE_TRACES(alloc_traces, TRACE_ALLOCS);
DEFINE_TRACES(free_traces, TRACE_FREES);
DEFINE_TRACES(leaks, TRACE_LEAKS);

static const struct debugfs_file debug_files[] = {
	{ "debug",		0600, &debug_fops },
	{ "errors",		0400, &errors_fops },
	{ "validate",		0400, &validate_fops },
	{ "alloc_traces",	0400, &alloc_traces_fops },
	{ "free_traces",	0400, &free_traces_fops },
	{ "leaks",		0400, &leaks_fops },
};

/**
 * debugfs_debug_add() - make the files for debugging a cache
 * @cache: the cache
 * @dir: its directory
 *
 * Return: as debugfs_files().
 */
bool debugfs_debug_add(struct mpslab_cache *cache, struct dentry *dir)
{
	return debugfs_files(dir, debug_files, ARRAY_SIZE(debug_files), cache);
}
