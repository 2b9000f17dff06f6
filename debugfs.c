// SPDX-License-Identifier: GPL-2.0
/*
 * What mpslab shows while it runs: /sys/kernel/debug/mpslab.
 *
 *	slabinfo		all caches, in the format of /proc/slabinfo
 *	caches/<cache>/		geometry, cpus, nodes, balance
 *				limit, batchcount, shared,
 *				auto_size			tunables
 *				shrink, reap, grow, refill,
 *				drain				triggers: write 1
 *				debug				letters
 *				errors, validate, alloc_traces,
 *				free_traces, leaks		debugfs_debug.c
 *	pools/<pool>/		stats, waiters, holders
 *				min_nr, bypass_us		tunables
 *				reserve_first, never_reclaim,
 *				track				0 or 1
 *				refill, drain			triggers: write 1
 *	.../fault/		pages, descriptors of a cache;
 *				backend, reserve of a pool	plans
 *	fault/			these and setup, of all		plans
 *
 * A file's private data is its cache or its pool.  What keeps that alive is
 * debugfs itself: its proxy turns readers away from a removed file, and removal
 * waits for those who are inside.  Hence plain debugfs_create_file(), and hence
 * removal with no lock held that a reader or writer takes.
 *
 * debugfs may be off, or refuse; nothing here looks, and the allocators work
 * without it.  No file prints an address, not even of a symbol that is gone.
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "debugfs_file.h"

/* Longest decimal number that a tunable takes, with newline and end. */
#define NUMBER_LEN		24

static struct dentry *root, *caches_dir;

/* One write of a tunable at a time, as each sets all three; 0 of internal.h. */
static DEFINE_MUTEX(tunables_mutex);

/* ----------------------------------------------------------------- helpers -- */

/**
 * debugfs_read_number() - a number that somebody writes to a file
 * @buf: where it is
 * @count: how many bytes
 * @val: the number
 *
 * A decimal number, with at most one newline after it and nothing else: no NUL
 * that hides a tail, no blanks, no sign, no second write to complete it.
 *
 * Context: task; may sleep.
 * Return: 0; -EINVAL, -ERANGE or -EFAULT.
 */
int debugfs_read_number(const char __user *buf, size_t count,
			unsigned int *val)
{
	char text[NUMBER_LEN];

	if (!count || count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (strlen(text) != count || !isdigit(text[0]))
		return -EINVAL;
	return kstrtouint(text, 10, val);
}

/**
 * debugfs_read_one() - a 1 that somebody writes to a file that takes nothing else
 * @buf: where it is
 * @count: how many bytes
 *
 * Context: task; may sleep.
 * Return: 0; -EINVAL or -EFAULT.
 */
int debugfs_read_one(const char __user *buf, size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (err == -ERANGE || (!err && val != 1))
		return -EINVAL;
	return err;
}

/**
 * debugfs_symbol() - a symbol's name
 * @to: the text
 * @len: room for it, %SYMBOL_LEN for instance
 * @addr: the symbol's address
 *
 * %ps falls back to the plain address, of a module that has gone for instance,
 * and addresses are not for files.
 *
 * Context: any.
 */
void debugfs_symbol(char *to, size_t len, unsigned long addr)
{
	snprintf(to, len, "%ps", (void *)addr);
	if (!strncmp(to, "0x", 2))
		strscpy(to, "unknown", len);
}

/**
 * debugfs_stack() - print a stack, one call in a line
 * @m: the file
 * @entries: the stack's addresses, the innermost first
 * @nr: how many
 *
 * As debugfs_symbol(), with the place in the function.
 *
 * Context: any.
 */
void debugfs_stack(struct seq_file *m, const unsigned long *entries,
		   unsigned int nr)
{
	char text[SYMBOL_LEN];

	for (; nr; nr--, entries++) {
		snprintf(text, sizeof(text), "%pS", (void *)*entries);
		seq_printf(m, "\t%s\n",
			   strncmp(text, "0x", 2) ? text : "unknown");
	}
}

/**
 * debugfs_escape() - print text of which somebody else has the making
 * @m: the file
 * @text: the text
 *
 * Context: any.
 */
void debugfs_escape(struct seq_file *m, const char *text)
{
	seq_printf(m, "%*pE", (int)strlen(text), text);
}

/**
 * debugfs_dir() - make a directory
 * @name: its name
 * @parent: where
 *
 * Context: may sleep; none of the locks of internal.h.
 * Return: the directory, or an error that debugfs understands.
 */
struct dentry *debugfs_dir(const char *name, struct dentry *parent)
{
	if (fault_setup())
		return ERR_PTR(-ENOMEM);
	return debugfs_create_dir(name, parent);
}

/**
 * debugfs_files() - fill a directory
 * @dir: the directory
 * @file: its files
 * @nr: how many
 * @data: what all of them are about
 *
 * Context: may sleep; none of the locks of internal.h.
 * Return: true if all are there.
 */
bool debugfs_files(struct dentry *dir, const struct debugfs_file *file,
		   unsigned int nr, void *data)
{
	for (; nr; nr--, file++)
		if (fault_setup() ||
		    IS_ERR(debugfs_create_file(file->name, file->mode, dir, data,
					       file->fops)))
			return false;
	return true;
}

/* One node's numbers at one instant; the lists are not for following. */
static struct cache_node node_snapshot(struct cache_node *n,
				       unsigned int *shared_avail,
				       unsigned int *shared_limit)
{
	struct cache_node snap;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	snap = data_race(*n);	/* the lock, too; but nobody looks at that */
	*shared_avail = n->shared ? n->shared->avail : 0;
	*shared_limit = n->shared ? n->shared->limit : 0;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return snap;
}

/* ---------------------------------------------------------------- slabinfo -- */

/*
 * As mm/slab.c counted: what lies in a CPU's or in the shared array is active,
 * and the object size is the distance of two objects.
 */
static void slabinfo_line(struct seq_file *m, struct mpslab_cache *cache)
{
	unsigned long slabs = 0, free_slabs = 0, objects = 0, free_objects = 0;
	unsigned long shared = 0;
	unsigned int avail, limit;
	struct cache_node *n, snap;
	int nid;

	for_each_cache_node(cache, nid, n) {
		snap = node_snapshot(n, &avail, &limit);
		slabs += snap.nr_partial + snap.nr_full + snap.nr_free;
		free_slabs += snap.nr_free;
		objects += snap.objects;
		free_objects += snap.free_objects;
		shared += avail;
	}
	seq_printf(m, "%-17s %6lu %6lu %6u %4u %4lu", cache->dirname,
		   objects - free_objects, objects, cache->size,
		   cache->best.objects, 1UL << cache->best.order);
	seq_printf(m, " : tunables %4u %4u %4u", cache->limit,
		   cache->batchcount, cache->shared_factor);
	seq_printf(m, " : slabdata %6lu %6lu %6lu\n", slabs - free_slabs, slabs,
		   shared);
}

static void *slabinfo_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&mpslab_mutex);
	return seq_list_start_head(&mpslab_caches, *pos);
}

static void *slabinfo_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &mpslab_caches, pos);
}

static void slabinfo_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&mpslab_mutex);
}

static int slabinfo_show(struct seq_file *m, void *v)
{
	if (v != &mpslab_caches) {
		slabinfo_line(m, list_entry(v, struct mpslab_cache, list));
		return 0;
	}
	seq_puts(m, "slabinfo - version: 2.1\n");
	seq_puts(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>");
	seq_puts(m, " : tunables <limit> <batchcount> <sharedfactor>");
	seq_puts(m, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	return 0;
}

static const struct seq_operations slabinfo_sops = {
	.start	= slabinfo_start,
	.next	= slabinfo_next,
	.stop	= slabinfo_stop,
	.show	= slabinfo_show,
};

DEFINE_SEQ_ATTRIBUTE(slabinfo);

/* ------------------------------------------------------- caches: the tables -- */

static const struct {
	slab_flags_t flag;
	const char *name;
} slab_flag_names[] = {
	{ SLAB_CONSISTENCY_CHECKS,	"consistency_checks" },
	{ SLAB_RED_ZONE,		"red_zone" },
	{ SLAB_POISON,			"poison" },
	{ SLAB_STORE_USER,		"store_user" },
	{ SLAB_HWCACHE_ALIGN,		"hwcache_align" },
	{ SLAB_CACHE_DMA,		"dma" },
	{ SLAB_CACHE_DMA32,		"dma32" },
	{ SLAB_PANIC,			"panic" },
	{ SLAB_TYPESAFE_BY_RCU,		"typesafe_by_rcu" },
	{ SLAB_RECLAIM_ACCOUNT,		"reclaim_account" },
	{ SLAB_ACCOUNT,			"account" },
	{ SLAB_TRACE,			"trace" },
	{ SLAB_NOLEAKTRACE,		"noleaktrace" },
#ifdef SLAB_MEM_SPREAD
	{ SLAB_MEM_SPREAD,		"mem_spread" },
#endif
#ifdef SLAB_NO_MERGE
	{ SLAB_NO_MERGE,		"no_merge" },
#endif
};

static void show_slab_flags(struct seq_file *m, slab_flags_t flags)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(slab_flag_names); i++) {
		/* Some flags are 0 where their feature is compiled out. */
		if (!(flags & slab_flag_names[i].flag))
			continue;
		seq_printf(m, " %s", slab_flag_names[i].name);
		flags &= ~slab_flag_names[i].flag;
	}
	if (flags)
		seq_printf(m, " +%#x", (__force unsigned int)flags);
}

static void show_geometry(struct seq_file *m, const char *what,
			  const struct slab_geometry *geo)
{
	seq_printf(m, "%-16s order %u, %u objects, %u colours, descriptor %s slab\n",
		   what, geo->order, geo->objects, geo->colours,
		   geo->off_slab ? "off" : "on");
}

static int geometry_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	char ctor[SYMBOL_LEN] = "none";

	if (cache->ctor)
		debugfs_symbol(ctor, sizeof(ctor), (unsigned long)cache->ctor);
	seq_printf(m, "%-16s ", "name");
	debugfs_escape(m, cache->name);
	seq_printf(m, "\n%-16s %u bytes\n", "object size", cache->object_size);
	seq_printf(m, "%-16s %u bytes\n", "distance", cache->size);
	seq_printf(m, "%-16s %u bytes\n", "align", cache->align);
	show_geometry(m, "slab", &cache->best);
	show_geometry(m, "fallback slab", &cache->fallback);
	seq_printf(m, "%-16s %u bytes\n", "colour offset", cache->colour_off);
	seq_printf(m, "%-16s", "flags");
	if (cache->flags)
		show_slab_flags(m, cache->flags);
	else
		seq_puts(m, " none");
	seq_printf(m, "\n%-16s %s\n", "constructor", ctor);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(geometry);

static unsigned int cpu_cache_aliens(struct mpslab_cache *cache,
				     struct cpu_cache *cc)
{
	unsigned int nid, sum = 0;

	for (nid = 0; nid < cache->nr_aliens; nid++)
		/* as in cpus_line() */
		sum += data_race(cpu_cache_alien(cc, nid)->avail);
	return sum;
}

/*
 * The owner changes these words while they are read here; each is right for an
 * instant, and only cache_balance() makes them agree.
 */
static void cpus_line(struct seq_file *m, struct mpslab_cache *cache, int cpu)
{
	struct cpu_cache *cc = per_cpu_ptr(cache->cpu, cpu);
	/* as said above */
	unsigned int avail = data_race(cc->ac.avail);
	unsigned long aged = data_race(cc->aged_allocs);	/* likewise */
	unsigned long allocs = data_race(cc->stat.allocs);	/* likewise */
	struct cpu_stat st;

	cache_cpu_stat(cache, cpu, &st);
	if (!cpu_online(cpu) && !avail && !st.allocs && !st.frees)
		return;
	seq_printf(m, "%3d %5u %5u %5u %7s %4s %10lu %10lu %10lu %7lu %7lu %7lu %5u\n",
		   cpu, avail, cc->ac.limit, cc->ac.batchcount,
		   allocs != aged ? "yes" : "no",
		   READ_ONCE(cc->gate) ? "no" : "yes", st.allocs, st.frees,
		   st.allocs - min(st.allocs, st.misses), st.misses, st.refills,
		   st.flushes, cpu_cache_aliens(cache, cc));
}

static int cpus_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	int cpu;

	seq_puts(m, "cpu avail limit batch touched busy     allocs      frees       hits  misses refills flushes alien\n");
	mutex_lock(&mpslab_mutex);	/* lest a change of size frees the arrays */
	for_each_possible_cpu(cpu)
		cpus_line(m, cache, cpu);
	mutex_unlock(&mpslab_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cpus);

static int nodes_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	struct cache_node *n, snap;
	unsigned int avail, limit;
	int nid;

	seq_puts(m, "     ------ slabs ----- ------ objects ------ -- shared -        ---- direct --- ---- slabs ----\n");
	seq_puts(m, "node partial  full  free     all    free limit avail limit colour  allocs   frees  grown   reaped\n");
	for_each_cache_node(cache, nid, n) {
		snap = node_snapshot(n, &avail, &limit);
		seq_printf(m, "%4d %7lu %5lu %5lu %7lu %7lu %5lu %5u %5u %6u %7lu %7lu %7lu %8lu\n",
			   nid, snap.nr_partial, snap.nr_full, snap.nr_free,
			   snap.objects, snap.free_objects, snap.free_limit,
			   avail, limit,
			   snap.colour_next % cache->best.colours, snap.allocs,
			   snap.frees, snap.grown, snap.reaped);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(nodes);

static int balance_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;
	struct cache_balance b;

	cache_balance(cache, &b);
	seq_printf(m, "objects %lu = in use %lu + ", b.objects, b.in_use);
	if (b.aside)
		seq_printf(m, "aside %lu + ", b.aside);
	seq_printf(m, "cpu %lu + alien %lu + shared %lu + free %lu, off by %ld\n",
		   b.cpu, b.alien, b.shared, b.free, b.off);
	seq_printf(m, "slabs %lu, pages %lu, errors %lu, debugged slabs %d, objects %slooked at\n",
		   b.slabs, b.pages, cache_errors(cache),
		   atomic_read(&cache->nr_debugged),
		   READ_ONCE(cache->look) ? "" : "not ");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(balance);

/* ------------------------------------------- caches: tunables and triggers -- */

enum tunable { tune_limit, tune_batchcount, tune_shared, nr_tunables };

static void tunables_get(struct mpslab_cache *cache,
			 unsigned int val[nr_tunables])
{
	mutex_lock(&mpslab_mutex);
	val[tune_limit] = cache->limit;
	val[tune_batchcount] = cache->batchcount;
	val[tune_shared] = cache->shared_factor;
	mutex_unlock(&mpslab_mutex);
}

static int tunable_show(struct seq_file *m, enum tunable which)
{
	unsigned int val[nr_tunables];

	tunables_get(m->private, val);
	seq_printf(m, "%u\n", val[which]);
	return 0;
}

static ssize_t tunable_write(struct mpslab_cache *cache, enum tunable which,
			     const char __user *buf, size_t count)
{
	unsigned int val[nr_tunables];
	unsigned int new;
	int err;

	err = debugfs_read_number(buf, count, &new);
	if (err)
		return err;
	mutex_lock(&tunables_mutex);
	tunables_get(cache, val);
	val[which] = new;
	err = cache_tune(cache, val[tune_limit], val[tune_batchcount],
			 val[tune_shared]);
	mutex_unlock(&tunables_mutex);
	return err ? err : count;
}

#define DEFINE_TUNABLE(__name)						\
static int __name ## _show(struct seq_file *m, void *v)			\
{									\
	return tunable_show(m, tune_ ## __name);			\
}									\
									\
static ssize_t __name ## _set(void *cache, const char __user *buf,	\
			      size_t count)				\
{									\
	return tunable_write(cache, tune_ ## __name, buf, count);	\
}									\
DEFINE_SHOW_WRITE(__name, __name ## _set)

DEFINE_TUNABLE(limit);
DEFINE_TUNABLE(batchcount);
DEFINE_TUNABLE(shared);

static int auto_size_show(struct seq_file *m, void *v)
{
	struct mpslab_cache *cache = m->private;

	seq_printf(m, "%u\n", READ_ONCE(cache->auto_size));
	return 0;
}

static ssize_t auto_size_set(struct mpslab_cache *cache, const char __user *buf,
			     size_t count)
{
	unsigned int val;
	int err;

	err = debugfs_read_number(buf, count, &val);
	if (!err && val > 1)
		err = -ERANGE;
	if (!err)
		cache_size_auto(cache, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(auto_size, auto_size_set);

DEFINE_TRIGGER(shrink, mpslab_cache_shrink);
DEFINE_TRIGGER(reap, cache_reap);
DEFINE_ACTION(grow, cache_force_grow);
DEFINE_ACTION(refill, cache_force_refill);
DEFINE_ACTION(drain, cache_force_drain);

/* ----------------------------------------------------- caches: directories -- */

static const struct debugfs_file cache_files[] = {
	{ "geometry",	0400, &geometry_fops },
	{ "cpus",	0400, &cpus_fops },
	{ "nodes",	0400, &nodes_fops },
	{ "balance",	0400, &balance_fops },
	{ "limit",	0600, &limit_fops },
	{ "batchcount",	0600, &batchcount_fops },
	{ "shared",	0600, &shared_fops },
	{ "auto_size",	0600, &auto_size_fops },
	{ "shrink",	0200, &shrink_fops },
	{ "reap",	0200, &reap_fops },
	{ "grow",	0200, &grow_fops },
	{ "refill",	0200, &refill_fops },
	{ "drain",	0200, &drain_fops },
};

/**
 * debugfs_cache_add() - show a cache
 * @cache: the cache, complete and with a dirname that no other has
 *
 * With all of its files, or not at all.
 *
 * Context: may sleep; none of the locks of internal.h.
 */
void debugfs_cache_add(struct mpslab_cache *cache)
{
	cache->dir = debugfs_dir(cache->dirname, caches_dir);
	if (!debugfs_files(cache->dir, cache_files, ARRAY_SIZE(cache_files),
			   cache) ||
	    !debugfs_debug_add(cache, cache->dir) ||
	    !debugfs_fault_add(cache->dir, &cache->faults, FAULT_CACHE_POINTS))
		debugfs_cache_remove(cache);
}

/**
 * debugfs_cache_remove() - stop showing a cache
 * @cache: the cache; nobody reads or writes its files when this returns
 *
 * Context: may sleep; none of the locks of internal.h, as it waits for those
 * who are inside a file.
 */
void debugfs_cache_remove(struct mpslab_cache *cache)
{
	debugfs_remove(cache->dir);
	cache->dir = NULL;
}

/* ---------------------------------------------------------------- the root -- */

static int usage_bugs_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu\n", usage_bugs());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(usage_bugs);

/* Closed like debugfs itself, whatever mode it is mounted with. */
static void close_to_others(struct dentry *dir)
{
	if (IS_ERR_OR_NULL(dir))
		return;
	inode_lock(d_inode(dir));
	d_inode(dir)->i_mode = S_IFDIR | 0700;
	inode_unlock(d_inode(dir));
}

static const struct debugfs_file root_files[] = {
	{ "slabinfo",	0400, &slabinfo_fops },
	{ "usage_bugs",	0400, &usage_bugs_fops },
};

static bool fill_root(void)
{
	caches_dir = debugfs_dir("caches", root);
	return !IS_ERR(caches_dir) && debugfs_pools_init(root) &&
	       debugfs_files(root, root_files, ARRAY_SIZE(root_files), NULL) &&
	       debugfs_fault_add(root, &fault_all, FAULT_ALL_POINTS);
}

/**
 * debugfs_root_init() - make /sys/kernel/debug/mpslab
 *
 * All of it, or nothing; then what would go there goes nowhere.
 *
 * Return: 0; without debugfs there is less to see, but nothing fails.
 */
int debugfs_root_init(void)
{
	root = debugfs_dir("mpslab", NULL);
	close_to_others(root);
	if (fill_root())
		return 0;
	fault_attr_hide();
	debugfs_remove(root);
	root = ERR_PTR(-ENODEV);
	caches_dir = root;
	debugfs_pools_init(root);
	return 0;
}

/**
 * debugfs_root_exit() - remove what is left of it
 */
void debugfs_root_exit(void)
{
	fault_attr_hide();
	debugfs_remove(root);
}
