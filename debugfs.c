// SPDX-License-Identifier: GPL-2.0
/*
 * What mpslab shows while it runs: /sys/kernel/debug/mpslab.
 *
 *	slabinfo		all caches, in the format of /proc/slabinfo
 *	caches/<cache>/		geometry, cpus, nodes, balance
 *				limit, batchcount, shared,
 *				auto_size			tunables
 *				shrink, reap			triggers: write 1
 *	pools/<pool>/		stats, waiters
 *				min_nr, bypass_us		tunables
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
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/uaccess.h>

#include "internal.h"

/* A pool's name in debugfs and in reports, with its end; longer ones are cut. */
#define POOL_NAME_LEN		64
/* A symbol and its module, with the end. */
#define SYMBOL_LEN		128
/* Longest decimal number that a tunable takes, with newline and end. */
#define NUMBER_LEN		24
/* Most waiters that one reading shows. */
#define WAITERS_SHOWN_MAX	1024

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

static struct dentry *root, *caches_dir, *pools_dir;

/*
 * Guards the names in use.  Leaf of everything: only string work is done under
 * it, above all no call into debugfs.
 */
static DEFINE_MUTEX(pool_names_mutex);
static LIST_HEAD(pool_names);
static unsigned int last_pool_id;	/* under pool_names_mutex */

/* One write of a tunable at a time, as each sets all three; outside of 1. */
static DEFINE_MUTEX(tunables_mutex);

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
	int err = read_one(buf, count);					\
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

/* ----------------------------------------------------------------- helpers -- */

/*
 * A decimal number, with at most one newline after it and nothing else: no NUL
 * that hides a tail, no blanks, no sign, no second write to complete it.
 */
static int read_number(const char __user *buf, size_t count, unsigned int *val)
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

static int read_one(const char __user *buf, size_t count)
{
	unsigned int val;
	int err;

	err = read_number(buf, count, &val);
	if (err == -ERANGE || (!err && val != 1))
		return -EINVAL;
	return err;
}

/*
 * A symbol's name.  %ps falls back to the plain address, of a module that has
 * gone for instance, and addresses are not for files.
 */
static void symbol_name(char *to, size_t len, unsigned long addr)
{
	snprintf(to, len, "%ps", (void *)addr);
	if (!strncmp(to, "0x", 2))
		strscpy(to, "unknown", len);
}

static void show_escaped(struct seq_file *m, const char *text)
{
	seq_printf(m, "%*pE", (int)strlen(text), text);
}

/* One node's numbers at one instant; the lists are not for following. */
static struct cache_node node_snapshot(struct cache_node *n,
				       unsigned int *shared_avail,
				       unsigned int *shared_limit)
{
	struct cache_node snap;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	snap = *n;
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
		symbol_name(ctor, sizeof(ctor), (unsigned long)cache->ctor);
	seq_printf(m, "%-16s ", "name");
	show_escaped(m, cache->name);
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
		sum += READ_ONCE(cpu_cache_alien(cc, nid)->avail);
	return sum;
}

/*
 * The owner changes these words while they are read here; each is right for an
 * instant, and only cache_balance() makes them agree.
 */
static void cpus_line(struct seq_file *m, struct mpslab_cache *cache, int cpu)
{
	struct cpu_cache *cc = per_cpu_ptr(cache->cpu, cpu);
	unsigned int avail = READ_ONCE(cc->ac.avail);
	struct cpu_stat st;

	cache_cpu_stat(cache, cpu, &st);
	if (!cpu_online(cpu) && !avail && !st.allocs && !st.frees)
		return;
	seq_printf(m, "%3d %5u %5u %5u %7s %4s %10lu %10lu %10lu %7lu %7lu %7lu %5u\n",
		   cpu, avail, cc->ac.limit, cc->ac.batchcount,
		   st.allocs != READ_ONCE(cc->aged_allocs) ? "yes" : "no",
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
	seq_printf(m, "objects %lu = in use %lu + cpu %lu + alien %lu + shared %lu + free %lu, off by %ld\n",
		   b.objects, b.in_use, b.cpu, b.alien, b.shared, b.free,
		   b.off);
	seq_printf(m, "slabs %lu, pages %lu, errors %ld\n", b.slabs, b.pages,
		   atomic_long_read(&cache->errors));
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

	err = read_number(buf, count, &new);
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

	err = read_number(buf, count, &val);
	if (!err && val > 1)
		err = -ERANGE;
	if (!err)
		cache_size_auto(cache, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(auto_size, auto_size_set);

DEFINE_TRIGGER(shrink, mpslab_cache_shrink);
DEFINE_TRIGGER(reap, cache_reap);

/* ----------------------------------------------------- caches: directories -- */

struct file_entry {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
};

static const struct file_entry cache_files[] = {
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
};

static void create_files(struct dentry *dir, const struct file_entry *file,
			 unsigned int nr, void *data)
{
	for (; nr; nr--, file++)
		debugfs_create_file(file->name, file->mode, dir, data,
				    file->fops);
}

/**
 * debugfs_cache_add() - show a cache
 * @cache: the cache, complete and with a dirname that no other has
 *
 * Context: may sleep; none of the locks of internal.h.
 */
void debugfs_cache_add(struct mpslab_cache *cache)
{
	cache->dir = debugfs_create_dir(cache->dirname, caches_dir);
	create_files(cache->dir, cache_files, ARRAY_SIZE(cache_files), cache);
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

/* --------------------------------------------------------- pools: the files -- */

static int stats_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;
	int min_nr, curr_nr, low_water;
	struct pool_counts counts;
	unsigned int waiters;
	unsigned long flags;
	u64 waits, longest, overtakes;

	pool_counts(pool, &counts);
	raw_spin_lock_irqsave(&pool->lock, flags);
	min_nr = pool->min_nr;
	curr_nr = pool->curr_nr;
	low_water = pool->low_water;
	waiters = pool->nr_waiters;
	waits = pool->waits;
	overtakes = pool->overtakes;
	longest = pool->longest_wait_ns;
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
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int waiters_show(struct seq_file *m, void *v)
{
	struct mpslab_pool *pool = m->private;
	struct pool_waiter_info *info;
	unsigned int i, max, nr;

	max = clamp(READ_ONCE(pool->nr_waiters), 1U, WAITERS_SHOWN_MAX);
	info = kvcalloc(max, sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	nr = min(pool_waiters(pool, info, max), max);

	seq_puts(m, "    pid wanted    got  waited_ms overdue  overtaken  comm\n");
	for (i = 0; i < nr; i++) {
		seq_printf(m, "%7d %6u %6u %10llu %7s %10llu  ", info[i].pid,
			   info[i].wanted, info[i].got,
			   div_u64(info[i].waited_ns, NSEC_PER_MSEC),
			   info[i].overdue ? "yes" : "no", info[i].overtaken);
		show_escaped(m, info[i].comm);
		seq_putc(m, '\n');
	}
	kvfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(waiters);

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

	err = read_number(buf, count, &val);
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

	err = read_number(buf, count, &val);
	if (!err)
		err = pool_set_bypass(pool, val);
	return err ? err : count;
}

DEFINE_SHOW_WRITE(bypass_us, bypass_us_set);

static const struct file_entry pool_files[] = {
	{ "stats",	0400, &stats_fops },
	{ "waiters",	0400, &waiters_fops },
	{ "min_nr",	0600, &min_nr_fops },
	{ "bypass_us",	0600, &bypass_us_fops },
};

/* ------------------------------------------------- pools: names, directories -- */

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

static void pool_dir_show(struct mpslab_pool *pool)
{
	struct mpslab_pool_dir *dir = pool->dir;

	dir->dentry = debugfs_create_dir(dir->name.text, pools_dir);
	create_files(dir->dentry, pool_files, ARRAY_SIZE(pool_files), pool);
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

	dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	symbol_name(dir->creator, sizeof(dir->creator), creator);

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
	static DEFINE_MUTEX(one_at_a_time);

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
	return pool->dir ? pool->dir->name.text : "pool";
}
EXPORT_SYMBOL_IF_KUNIT(debugfs_pool_name);

/* ---------------------------------------------------------------- the root -- */

/* Closed like debugfs itself, whatever mode it is mounted with. */
static void close_to_others(struct dentry *dir)
{
	if (IS_ERR_OR_NULL(dir))
		return;
	inode_lock(d_inode(dir));
	d_inode(dir)->i_mode = S_IFDIR | 0700;
	inode_unlock(d_inode(dir));
}

/**
 * debugfs_root_init() - make /sys/kernel/debug/mpslab
 *
 * Return: 0; without debugfs there is less to see, but nothing fails.
 */
int debugfs_root_init(void)
{
	root = debugfs_create_dir("mpslab", NULL);
	close_to_others(root);
	caches_dir = debugfs_create_dir("caches", root);
	pools_dir = debugfs_create_dir("pools", root);
	debugfs_create_file("slabinfo", 0400, root, NULL, &slabinfo_fops);
	return 0;
}

/**
 * debugfs_root_exit() - remove what is left of it
 */
void debugfs_root_exit(void)
{
	debugfs_remove(root);
}
