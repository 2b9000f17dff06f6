// SPDX-License-Identifier: GPL-2.0
/*
 * What mpslab shows of pools: /sys/kernel/debug/mpslab/pools, and their names.
 * See debugfs.c.
 */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "mempool_internal.h"
#include "debugfs_file.h"

/* A pool's name in debugfs and in reports, with its end; longer ones are cut. */
#define POOL_NAME_LEN		64
/* Most waiters that one reading shows. */
#define WAITERS_SHOWN_MAX	1024U
/* Most holders of elements, likewise. */
#define HOLDERS_SHOWN_MAX	256U

struct pool_name {
	struct list_head list;		/* under pool_names_mutex */
	char text[POOL_NAME_LEN];
};

/**
 * struct mpslab_pool_dir - a pool's place in debugfs
 * @name: what it is called, on pool_names
 * @dentry: its directory, or what debugfs gave instead
 * @creator: who set the pool up, as text, because the module may be gone when
 *	somebody asks
 */
struct mpslab_pool_dir {
	struct pool_name name;
	struct dentry *dentry;
	char creator[SYMBOL_LEN];
};

static struct dentry *pools_dir;

/*
 * Guards the names in use.  Leaf of everything: only string work is done under
 * it, above all no call into debugfs.
 */
static DEFINE_MUTEX(pool_names_mutex);
static LIST_HEAD(pool_names);
static unsigned int last_pool_id;	/* under pool_names_mutex */

/* --------------------------------------------------------- ---- the files -- */

static int stats_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;
	int min_nr, curr_nr, low_water;
	struct pool_counts counts;
	unsigned int waiters;
	unsigned long flags;
	u64 waits, longest, overtakes, long_waits, bad_frees;

	pool_counts(pool, &counts);
	raw_spin_lock_irqsave(&pool->lock, flags);
	min_nr = pool->min_nr;
	curr_nr = pool->curr_nr;
	low_water = pool->low_water;
	waiters = pool->nr_waiters;
	waits = pool->waits;
	overtakes = pool->overtakes;
	longest = pool->longest_wait_ns;
	long_waits = pool->long_waits;
	bad_frees = pool->bad_frees;
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	seq_printf(m, "%-16s %s\n", "creator", pool->dir->creator);
	seq_printf(m, "%-16s %d\n", "min_nr", min_nr);
	seq_printf(m, "%-16s %d\n", "curr_nr", curr_nr);
	seq_printf(m, "%-16s %d\n", "low_water", low_water);
	seq_printf(m, "%-16s %llu\n", "backend_allocs", counts.backend_allocs);
	seq_printf(m, "%-16s %llu\n", "reserve_allocs", counts.reserve_allocs);
	seq_printf(m, "%-16s %llu\n", "frees", counts.frees);
	seq_printf(m, "%-16s %lld\n", "outstanding", counts.outstanding);
	seq_printf(m, "%-16s %u\n", "waiters", waiters);
	seq_printf(m, "%-16s %llu\n", "waits", waits);
	seq_printf(m, "%-16s %llu\n", "overtakes", overtakes);
	seq_printf(m, "%-16s %llu\n", "longest_wait_us",
		   div_u64(longest, NSEC_PER_USEC));
	seq_printf(m, "%-16s %llu\n", "long_waits", long_waits);
	seq_printf(m, "%-16s %llu\n", "bad_frees", bad_frees);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int waiters_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;
	struct pool_waiter_info *info;
	unsigned int i, max, nr, all;

	max = clamp(READ_ONCE(pool->nr_waiters), 1U, WAITERS_SHOWN_MAX);
	info = setup_alloc(kvcalloc(max, sizeof(*info), GFP_KERNEL));
	if (!info)
		return -ENOMEM;
	all = pool_waiters(pool, info, max);
	nr = min(all, max);

	seq_puts(m, "    pid wanted    got  waited_ms overdue  overtaken  comm\n");
	for (i = 0; i < nr; i++) {
		seq_printf(m, "%7d %6u %6u %10llu %7s %10llu  ", info[i].pid,
			   info[i].wanted, info[i].got,
			   div_u64(info[i].waited_ns, NSEC_PER_MSEC),
			   info[i].overdue ? "yes" : "no", info[i].overtaken);
		debugfs_escape(m, info[i].comm);
		seq_putc(m, '\n');
		debugfs_stack(m, info[i].stack, info[i].stack_nr);
	}
	if (all > nr)
		seq_printf(m, "%u more\n", all - nr);
	kvfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(waiters);

static int holders_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;
	struct pool_holder_info *info;
	unsigned int i, nr, all;
	u64 missed;

	if (!(READ_ONCE(pool->slow) & POOL_SLOW_TRACK)) {
		seq_puts(m, "not known: write 1 to track\n");
		return 0;
	}
	info = setup_alloc(kvcalloc(HOLDERS_SHOWN_MAX, sizeof(*info),
				    GFP_KERNEL));
	if (!info)
		return -ENOMEM;
	all = pool_holders(pool, info, HOLDERS_SHOWN_MAX, &missed);
	nr = min(all, HOLDERS_SHOWN_MAX);
	seq_puts(m, "    pid    held_ms  comm\n");
	for (i = 0; i < nr; i++) {
		seq_printf(m, "%7d %10llu  ", info[i].pid,
			   div_u64(info[i].held_ns, NSEC_PER_MSEC));
		debugfs_escape(m, info[i].comm);
		seq_putc(m, '\n');
		debugfs_stack(m, info[i].stack, info[i].stack_nr);
	}
	if (all > nr)
		seq_printf(m, "%u more\n", all - nr);
	if (missed)
		seq_printf(m, "no room for %llu more\n", missed);
	kvfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(holders);

static int min_nr_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;

	seq_printf(m, "%d\n", READ_ONCE(pool->min_nr));
	return 0;
}

static ssize_t min_nr_set(struct mpslab_pool *pool, const char __user *buf,
			  size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (err)
		return err;
	if (val > INT_MAX)
		return -ERANGE;
	err = mpslab_pool_resize(pool, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(min_nr, min_nr_set);

static int bypass_us_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;

	seq_printf(m, "%u\n", READ_ONCE(pool->bypass_ns) / (u32)NSEC_PER_USEC);
	return 0;
}

static ssize_t bypass_us_set(struct mpslab_pool *pool, const char __user *buf,
			     size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (!err)
		err = pool_set_bypass(pool, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(bypass_us, bypass_us_set);

DEFINE_ACTION(refill, pool_force_refill);
DEFINE_ACTION(drain, pool_force_drain);

static int slow_show(struct seq_file *m, unsigned int why)
{
	struct mpslab_pool *pool = m->private;

	seq_printf(m, "%u\n", !!(READ_ONCE(pool->slow) & why));
	return 0;
}

static ssize_t slow_set(struct mpslab_pool *pool, unsigned int why,
			const char __user *buf, size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (err)
		return err;
	if (val > 1)
		return -ERANGE;
	pool_set_slow(pool, why, val);
	return count;
}

#define DEFINE_POLICY(__name, __why)					\
static int __name ## _show(struct seq_file *m, void *v)			\
{									\
	return slow_show(m, __why);					\
}									\
									\
static ssize_t __name ## _set(void *pool, const char __user *buf,	\
			      size_t count)				\
{									\
	return slow_set(pool, __why, buf, count);			\
}									\
DEFINE_SHOW_WRITE(__name, __name ## _set)

DEFINE_POLICY(reserve_first, POOL_SLOW_RESERVE_FIRST);
DEFINE_POLICY(never_reclaim, POOL_SLOW_NO_RECLAIM);

static int track_show(struct seq_file *m, void *v)
{
	return slow_show(m, POOL_SLOW_TRACK);
}

static ssize_t track_set(struct mpslab_pool *pool, const char __user *buf,
			 size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (!err && val > 1)
		err = -ERANGE;
	if (!err)
		err = pool_track(pool, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(track, track_set);

static const struct debugfs_file pool_files[] = {
	{ "stats",	0400, &stats_fops },
	{ "waiters",	0400, &waiters_fops },
	{ "min_nr",	0600, &min_nr_fops },
	{ "bypass_us",	0600, &bypass_us_fops },
	{ "refill",	0200, &refill_fops },
	{ "drain",	0200, &drain_fops },
	{ "reserve_first", 0600, &reserve_first_fops },
	{ "never_reclaim", 0600, &never_reclaim_fops },
	{ "track",	0600, &track_fops },
	{ "holders",	0400, &holders_fops },
};

/* ----------------------------------------------------- names, directories -- */

static bool name_taken(const char *text)
{
	struct pool_name *name;

	lockdep_assert_held(&pool_names_mutex);
	list_for_each_entry(name, &pool_names, list)
		if (!strcmp(name->text, text))
			return true;
	return false;
}

/* As the caches' names: no slash, no blank, no comment sign, not hidden. */
static void safe_name(char to[POOL_NAME_LEN], const char *from)
{
	strscpy(to, from, POOL_NAME_LEN);
	if (*to == '.')
		*to = '_';
	for (; *to; to++)
		if (!isascii(*to) || !isgraph(*to) || *to == '/' ||
		    *to == '#')
			*to = '_';
}

/* @safe, with a suffix if it is taken. */
static void unique_name(char to[POOL_NAME_LEN], const char *safe)
{
	unsigned int nr;

	strscpy(to, safe, POOL_NAME_LEN);
	for (nr = 2; name_taken(to); nr++)
		snprintf(to, POOL_NAME_LEN, "%.*s~%u", POOL_NAME_LEN - 12, safe,
			 nr);
}

/* With all of its files, or not at all. */
static void pool_dir_show(struct mpslab_pool *pool)
{
	struct mpslab_pool_dir *dir = pool->dir;

	dir->dentry = debugfs_dir(dir->name.text, pools_dir);
	if (debugfs_files(dir->dentry, pool_files, ARRAY_SIZE(pool_files),
			  pool) &&
	    debugfs_fault_add(dir->dentry, pool->faults, FAULT_POOL_POINTS))
		return;
	debugfs_remove(dir->dentry);
	dir->dentry = NULL;
}

/**
 * debugfs_pool_add() - give a pool a name and show it
 * @pool: the pool, complete
 * @creator: address in who set it up
 *
 * Context: may sleep; none of the locks of internal.h.
 * Return: 0, or -ENOMEM.
 */
int debugfs_pool_add(struct mpslab_pool *pool, unsigned long creator)
{
	struct mpslab_pool_dir *dir;
	char name[POOL_NAME_LEN];

	dir = setup_alloc(kzalloc(sizeof(*dir), GFP_KERNEL));
	if (!dir)
		return -ENOMEM;
	debugfs_symbol(dir->creator, sizeof(dir->creator), creator);

	mutex_lock(&pool_names_mutex);
	snprintf(name, sizeof(name), "pool%u", ++last_pool_id);
	unique_name(dir->name.text, name);
	list_add_tail(&dir->name.list, &pool_names);
	mutex_unlock(&pool_names_mutex);

	pool->dir = dir;
	pool_dir_show(pool);
	return 0;
}

/**
 * debugfs_pool_remove() - stop showing a pool
 * @pool: the pool; nobody reads or writes its files when this returns
 *
 * Context: may sleep; none of the locks of internal.h, as it waits for those
 * who are inside a file.
 */
void debugfs_pool_remove(struct mpslab_pool *pool)
{
	struct mpslab_pool_dir *dir = pool->dir;

	if (!dir)
		return;
	debugfs_remove(dir->dentry);

	mutex_lock(&pool_names_mutex);
	list_del(&dir->name.list);
	mutex_unlock(&pool_names_mutex);

	pool->dir = NULL;
	kfree(dir);
}

static void pool_rename(struct mpslab_pool *pool, const char *name)
{
	struct mpslab_pool_dir *dir = pool->dir;
	char safe[POOL_NAME_LEN];
	struct pool_name old;

	safe_name(safe, name);
	if (!strcmp(safe, dir->name.text))
		return;

	/* The old name stays taken until its directory is gone. */
	mutex_lock(&pool_names_mutex);
	old = dir->name;
	list_replace(&dir->name.list, &old.list);
	unique_name(dir->name.text, safe);
	list_add_tail(&dir->name.list, &pool_names);
	mutex_unlock(&pool_names_mutex);

	debugfs_remove(dir->dentry);
	pool_dir_show(pool);

	mutex_lock(&pool_names_mutex);
	list_del(&old.list);
	mutex_unlock(&pool_names_mutex);
}

/* A directory is made anew for one pool after another. */
static DEFINE_MUTEX(one_at_a_time);

/**
 * debugfs_pool_moved() - the pool is at another place
 * @pool: the pool, whose name stays
 *
 * Context: may sleep; none of the locks of internal.h.
 */
void debugfs_pool_moved(struct mpslab_pool *pool)
{
	mutex_lock(&one_at_a_time);
	debugfs_remove(pool->dir->dentry);
	pool_dir_show(pool);
	mutex_unlock(&one_at_a_time);
}

/**
 * debugfs_pool_rename() - give a pool another name
 * @pool: the pool
 * @name: the name; made safe for a file name, cut if too long, and told from
 *	other pools of that name by a suffix
 *
 * The directory is made anew, so files that are open give -EIO from now on.
 *
 * Context: may sleep; none of the locks of internal.h.
 */
void debugfs_pool_rename(struct mpslab_pool *pool, const char *name)
{
	mutex_lock(&one_at_a_time);
	pool_rename(pool, name);
	mutex_unlock(&one_at_a_time);
}

/**
 * debugfs_pool_name() - what reports call a pool
 * @pool: the pool
 *
 * Context: any.
 * Return: a string that lives as long as the pool; during a rename it may be a
 * mixture of two names, but it ends.
 */
const char *debugfs_pool_name(struct mpslab_pool *pool)
{
	return pool_is_ours(pool) && pool->dir ? pool->dir->name.text : "pool";
}
EXPORT_SYMBOL_IF_KUNIT(debugfs_pool_name);

/**
 * debugfs_pools_init() - make the directory of all pools
 * @root: mpslab's directory, which takes it along when it is removed
 *
 * Context: may sleep.
 * Return: true if it is there.
 */
bool debugfs_pools_init(struct dentry *root)
{
	pools_dir = debugfs_dir("pools", root);
	return !IS_ERR(pools_dir);
}
