// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a cache: creation, tuning, balance, destruction.  None of it is on
 * the path of an allocation.
 */
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/kmemleak.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/stop_machine.h>
#include <linux/string.h>

#include "internal.h"

DEFINE_MUTEX(mpslab_mutex);	/* the list of caches, and more: internal.h */
EXPORT_SYMBOL_IF_KUNIT(mpslab_mutex);

LIST_HEAD(mpslab_caches);
EXPORT_SYMBOL_IF_KUNIT(mpslab_caches);

#define DIRNAME_MAX		64

/* ------------------------------------------------------------ per-CPU arrays -- */

static struct cpu_cache __percpu *
cpu_cache_create(const struct mpslab_cache *cache, unsigned int limit,
		 unsigned int batchcount)
{
	struct cpu_cache __percpu *cpu;
	struct cpu_cache *cc;
	unsigned int nid;
	int i;

	cpu = setup_alloc(__alloc_percpu(sizeof(*cc) + limit * sizeof(void *) +
					 cache->nr_aliens * ac_bytes(ALIEN_LIMIT),
					 SMP_CACHE_BYTES));
	if (!cpu)
		return NULL;
	/* What was taken from an array still stands there: no reference to it. */
	kmemleak_free_percpu(cpu);
	for_each_possible_cpu(i) {
		cc = per_cpu_ptr(cpu, i);
		ac_init(&cc->ac, limit, batchcount);
		cc->gate = limit;
		cc->trips_since = jiffies;
		for (nid = 0; nid < cache->nr_aliens; nid++)
			ac_init(cpu_cache_alien(cc, nid), ALIEN_LIMIT,
				ALIEN_LIMIT);
	}
	return cpu;
}

static void stat_add(struct cpu_stat *to, const struct cpu_stat *st)
{
	to->allocs += st->allocs;
	to->frees += st->frees;
	to->misses += st->misses;
	to->refills += st->refills;
	to->flushes += st->flushes;
}

/*
 * Replace a cache's arrays under running clients.  A CPU that read the old
 * pointer in cpu_cache_enter() keeps preemption off until it is done, which is
 * what synchronize_rcu() waits for, as it does for cache_cpu_stat() and for the
 * shared arrays of replace_arrays(); after it the old arrays are ours alone.
 */
static void cpu_cache_replace(struct mpslab_cache *cache,
			      struct cpu_cache __percpu *new)
{
	struct cpu_cache __percpu *old = cache->cpu;
	struct cpu_cache *from, *to;
	int cpu;

	lockdep_assert_held(&mpslab_mutex);
	/* The new arrays are written before they are seen; read by dependency. */
	smp_store_release(&cache->cpu, new);
	synchronize_rcu();
	for_each_possible_cpu(cpu) {
		from = per_cpu_ptr(old, cpu);
		to = per_cpu_ptr(new, cpu);
		cpu_cache_drain_dead(cache, from);
		stat_add(&to->base, &from->base);
		stat_add(&to->base, &from->stat);
	}
	free_percpu(old);
}

/**
 * cache_cpu_stat() - a CPU's counts since the cache was created
 * @cache: the cache
 * @cpu: the CPU
 * @st: the result
 *
 * Context: any; the counts run on meanwhile.
 */
void cache_cpu_stat(struct mpslab_cache *cache, int cpu, struct cpu_stat *st)
{
	struct cpu_cache *cc;
	struct cpu_stat now;

	rcu_read_lock();
	cc = per_cpu_ptr(READ_ONCE(cache->cpu), cpu);
	/* Single words, each as good as any. */
	*st = data_race(cc->base);
	now = data_race(cc->stat);	/* likewise */
	stat_add(st, &now);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(cache_cpu_stat);

/* --------------------------------------------------------------------- balance -- */

struct balance_request {
	struct mpslab_cache *cache;
	struct cache_balance *b;
};

static void balance_cpu(struct mpslab_cache *cache, int cpu,
			struct cache_balance *b)
{
	struct cpu_cache *cc = per_cpu_ptr(cache->cpu, cpu);
	unsigned int nid;

	b->in_use += cc->base.allocs + cc->stat.allocs;
	b->in_use -= cc->base.frees + cc->stat.frees;
	b->cpu += cc->ac.avail;
	for (nid = 0; nid < cache->nr_aliens; nid++)
		b->alien += cpu_cache_alien(cc, nid)->avail;
}

static void balance_node(struct mpslab_cache *cache, struct cache_node *n,
			 struct cache_balance *b)
{
	b->slabs += n->nr_partial + n->nr_full + n->nr_free;
	b->pages += n->pages;
	b->objects += n->objects;
	b->free += n->free_objects;
	b->in_use += n->allocs - n->frees;
	if (n->shared)
		b->shared += n->shared->avail;
}

/* All other CPUs are stopped, interrupts off, preemption on: see slab_cache.c. */
static int balance_stopped(void *data)
{
	struct balance_request *rq = data;
	struct cache_balance *b = rq->b;
	struct cache_node *n;
	int i;

	memset(b, 0, sizeof(*b));
	for_each_possible_cpu(i)
		balance_cpu(rq->cache, i, b);
	for_each_cache_node(rq->cache, i, n)
		balance_node(rq->cache, n, b);
	b->aside = atomic_long_read(&rq->cache->aside);
	b->in_use += atomic_long_read(&rq->cache->refused) - b->aside;
	b->off = b->objects - (b->in_use + b->aside + b->cpu + b->alien +
			       b->shared + b->free);
	return 0;
}

/**
 * cache_balance() - where every object of a cache is, at one instant
 * @cache: the cache
 * @b: the result
 *
 * Objects in use are counted by allocations and frees, the others by where they
 * lie, all slabs by what the nodes hold: that the sum is right is not a given.
 * Every CPU is stopped for the time of a walk over all CPUs and nodes, because
 * no order of reading moving counters gives one instant.
 *
 * Context: task; sleeps.
 */
void cache_balance(struct mpslab_cache *cache, struct cache_balance *b)
{
	struct balance_request rq = { .cache = cache, .b = b };

	/* While arrays are being replaced, some of their counts are nowhere. */
	mutex_lock(&cache->tune_lock);
	stop_machine(balance_stopped, &rq, NULL);
	mutex_unlock(&cache->tune_lock);
}
EXPORT_SYMBOL_IF_KUNIT(cache_balance);

/* ---------------------------------------------------------------------- tuning -- */

static struct array_cache *shared_create(unsigned int factor,
					 unsigned int batchcount, int nid)
{
	unsigned int limit = factor * batchcount;
	struct array_cache *ac;

	/* Zeroed, as KMSAN misses what an interrupt writes while it is at work itself. */
	ac = setup_alloc(kvzalloc_node(ac_bytes(limit), GFP_KERNEL, nid));
	if (!ac)
		return NULL;
	kmemleak_no_scan(ac);	/* as cpu_cache_create() */
	ac_init(ac, limit, batchcount);
	return ac;
}

/* Give the node another shared array, or none; returns the old one. */
static struct array_cache *shared_replace(struct cache_node *n,
					  struct array_cache *new)
{
	struct array_cache *old;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	old = n->shared;
	smp_store_release(&n->shared, new);	/* by dependency in flush() */
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return old;
}

/* Send home what a replaced shared array held. */
static void shared_empty(struct mpslab_cache *cache, struct array_cache *ac)
{
	unsigned int nr;

	while (ac && ac->avail) {
		LIST_HEAD(empty);

		nr = min_t(unsigned int, ac->avail, DETACH_BATCH);
		ac->avail -= nr;
		preempt_disable();
		put_objects(cache, ac->entry + ac->avail, nr, &empty);
		preempt_enable();
		slab_list_release(cache, &empty);
		cond_resched();
	}
}

/* One new shared array for each node into @shared; nothing on failure. */
static int shared_create_all(struct mpslab_cache *cache,
			     struct array_cache **shared, unsigned int factor,
			     unsigned int batchcount)
{
	struct cache_node *n;
	int nid;

	if (!factor)
		return 0;
	for_each_cache_node(cache, nid, n) {
		shared[nid] = shared_create(factor, batchcount, nid);
		if (shared[nid])
			continue;
		while (nid--)
			kvfree(shared[nid]);
		return -ENOMEM;
	}
	return 0;
}

static void set_tunables(struct mpslab_cache *cache, unsigned int limit,
			 unsigned int batchcount, unsigned int shared_factor)
{
	struct cache_node *n;
	unsigned long flags;
	int nid;

	cache->limit = limit;
	cache->batchcount = batchcount;
	cache->shared_factor = shared_factor;
	for_each_cache_node(cache, nid, n) {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		n->free_limit = (1 + nr_cpus_node(nid)) * batchcount +
				geometry_keep(cache->size, cache->best.objects);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
}

/*
 * @shared is a place for one for each node.  The old ones are taken away before
 * cpu_cache_replace() waits for RCU, and freed after it: then no flush() sees them.
 */
static int replace_arrays(struct mpslab_cache *cache,
			  struct array_cache **shared, unsigned int limit,
			  unsigned int batchcount, unsigned int shared_factor)
{
	struct cpu_cache __percpu *cpu;
	struct cache_node *n;
	int nid, err;

	err = shared_create_all(cache, shared, shared_factor, batchcount);
	if (err)
		return err;
	cpu = cpu_cache_create(cache, limit, batchcount);
	if (!cpu) {
		for_each_cache_node(cache, nid, n)
			kvfree(shared[nid]);
		return -ENOMEM;
	}

	mutex_lock(&mpslab_mutex);
	for_each_cache_node(cache, nid, n) {
		shared[nid] = shared_replace(n, shared[nid]);
		shared_empty(cache, shared[nid]);
	}
	cpu_cache_replace(cache, cpu);
	for_each_cache_node(cache, nid, n)
		kvfree(shared[nid]);
	set_tunables(cache, limit, batchcount, shared_factor);
	mutex_unlock(&mpslab_mutex);
	return 0;
}

/**
 * cache_tune_locked() - change the sizes of a cache's arrays while it is in use
 * @cache: the cache
 * @limit: objects in one CPU's array, 1 to CPU_LIMIT_MAX
 * @batchcount: objects moved at once, 1 to @limit
 * @shared_factor: batches that a node's shared array holds
 *
 * Context: task; sleeps; tune_lock.
 * Return: 0, or -ENOMEM, and then nothing has changed.
 */
int cache_tune_locked(struct mpslab_cache *cache, unsigned int limit,
		      unsigned int batchcount, unsigned int shared_factor)
{
	struct array_cache **shared;
	int err;

	lockdep_assert_held(&cache->tune_lock);
	shared = setup_alloc(kcalloc(nr_node_ids, sizeof(*shared), GFP_KERNEL));
	if (!shared)
		return -ENOMEM;
	err = replace_arrays(cache, shared, limit, batchcount, shared_factor);
	kfree(shared);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(cache_tune_locked);

/**
 * cache_tune() - give a cache's arrays the sizes that somebody asked for
 * @cache: the cache
 * @limit: objects in one CPU's array, 1 to CPU_LIMIT_MAX
 * @batchcount: objects moved at once, 1 to @limit
 * @shared_factor: batches that a node's shared array holds, 0 to
 *	SHARED_FACTOR_MAX
 *
 * From here on they are not sized by themselves any more.
 *
 * Context: task; sleeps.
 * Return: 0; -ERANGE for a bad value or -ENOMEM, and then nothing has changed.
 */
int cache_tune(struct mpslab_cache *cache, unsigned int limit,
	       unsigned int batchcount, unsigned int shared_factor)
{
	int err;

	if (!limit || limit > CPU_LIMIT_MAX || !batchcount ||
	    batchcount > limit || shared_factor > SHARED_FACTOR_MAX)
		return -ERANGE;
	mutex_lock(&cache->tune_lock);
	err = cache_tune_locked(cache, limit, batchcount, shared_factor);
	if (!err)
		WRITE_ONCE(cache->auto_size, false);
	mutex_unlock(&cache->tune_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(cache_tune);

/* -------------------------------------------------------------------- creation -- */

/* Flags that mean something here, or nothing anywhere else than in mm/. */
#define FLAGS_KNOWN	(SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
			 SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT | \
			 SLAB_RECLAIM_ACCOUNT | SLAB_NOLEAKTRACE | SLAB_TRACE | \
			 SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | \
			 SLAB_CONSISTENCY_CHECKS | COMPAT_SLAB_FLAGS_IGNORED)

static int check_args(const char *name, unsigned int size,
		      const struct mpslab_cache_args *args, slab_flags_t flags)
{
	const char *what = NULL;

	if (!name || !*name)
		what = "no name";
	else if (in_interrupt())
		what = "in interrupt";
	else if (!size || size > KMALLOC_MAX_SIZE)
		what = "bad size";
	else if (args->align &&
		 (!is_power_of_2(args->align) || args->align > KMALLOC_MAX_SIZE))
		what = "bad alignment";
	else if (args->usersize > size || args->useroffset > size - args->usersize)
		what = "bad usercopy region";
	else if (flags & ~FLAGS_KNOWN)
		what = "unknown flags";
	else if ((flags & SLAB_CACHE_DMA) && (flags & SLAB_CACHE_DMA32))
		what = "two DMA zones";
	if (!what)
		return 0;
	usage_bug(name && *name ? name : "cache",
		  "not created: %s (size %u, align %u, flags %#x)", what, size,
		  args->align, (__force unsigned int)flags);
	return -EINVAL;
}

static gfp_t page_gfp(slab_flags_t flags)
{
	gfp_t gfp = 0;

	if (flags & SLAB_CACHE_DMA)
		gfp |= GFP_DMA;
	if (flags & SLAB_CACHE_DMA32)
		gfp |= GFP_DMA32;
	if (flags & SLAB_RECLAIM_ACCOUNT)
		gfp |= __GFP_RECLAIMABLE;
	if (flags & SLAB_ACCOUNT)
		gfp |= __GFP_ACCOUNT;
	return gfp;
}

/*
 * As the kernel's allocators: boot parameters ask that every object be wiped,
 * but one that must keep its content while it is free is left alone.
 */
static void set_wiping(struct mpslab_cache *cache)
{
	if (!cache->ctor && !(cache->flags & SLAB_TYPESAFE_BY_RCU)) {
		if (want_init_on_alloc(0))
			cache->work_gfp = __GFP_ZERO;
		cache->init_on_free = want_init_on_free();
	}
	cache->numa = nr_node_ids > 1;
	cache_set_work(cache, false);
}

static u32 inverse(unsigned int size)
{
	return div_u64((1ULL << 32) + size - 1, size);
}

/* No objects at all if they are too large for red zones beside them. */
static void set_debug_layout(struct mpslab_cache *cache)
{
	struct debug_layout *layout = &cache->debug_layout;
	unsigned int order;

	layout->left = ALIGN(RED_ZONE_BYTES, cache->align);
	layout->size = ALIGN(layout->left + cache->object_size + RED_ZONE_BYTES,
			     cache->align);
	layout->inverse = inverse(layout->size);
	order = max_t(unsigned int, get_order(layout->size),
		      min(cache->best.order, 1));
	geometry_fit_apart(&layout->geo, order, layout->size, cache->align,
			   layout->left);
}

static int set_geometry(struct mpslab_cache *cache,
			const struct mpslab_cache_args *args)
{
	int err;

	cache->align = geometry_align(cache->object_size, args->align,
				      cache->flags);
	cache->size = ALIGN(cache->object_size, cache->align);
	cache->inverse = inverse(cache->size);
	err = geometry_choose(cache, num_present_cpus());
	if (err)
		usage_bug(cache->name, "not created: size %u, align %u",
			  cache->size, cache->align);
	else
		set_debug_layout(cache);
	return err;
}

static struct cache_node *node_create(int nid)
{
	struct cache_node *n;

	n = setup_alloc(kzalloc_node(sizeof(*n), GFP_KERNEL, nid));
	if (!n)
		return NULL;
	raw_spin_lock_init(&n->list_lock);
	INIT_LIST_HEAD(&n->partial);
	INIT_LIST_HEAD(&n->full);
	INIT_LIST_HEAD(&n->free);
	INIT_LIST_HEAD(&n->debugged);
	n->next_reap = jiffies;
	return n;
}

/* The nodes and their shared arrays, the CPUs' arrays. */
static int create_layers(struct mpslab_cache *cache,
			 const struct mpslab_cache_args *args)
{
	unsigned int limit, batchcount, shared;
	int nid;

	geometry_array_sizes(cache->size,
			     num_present_cpus() / num_online_nodes(), &limit,
			     &batchcount, &shared);
	if (args->sheaf_capacity) {
		limit = min_t(unsigned int, args->sheaf_capacity, CPU_LIMIT_MAX);
		batchcount = (limit + 1) / 2;
	}
	if (cache->numa && nr_node_ids <= ALIEN_NODES_MAX)
		cache->nr_aliens = nr_node_ids;

	for_each_node(nid) {
		cache->node[nid] = node_create(nid);
		if (!cache->node[nid])
			return -ENOMEM;
		if (!shared)
			continue;
		cache->node[nid]->shared = shared_create(shared, batchcount, nid);
		if (!cache->node[nid]->shared)
			return -ENOMEM;
	}
	cache->cpu = cpu_cache_create(cache, limit, batchcount);
	if (!cache->cpu)
		return -ENOMEM;
	set_tunables(cache, limit, batchcount, shared);
	cache_size_init(cache, !args->sheaf_capacity);
	return cache_debug_init(cache);
}

/* Of a cache without slabs that nobody knows, be it half made. */
static void cache_free(struct mpslab_cache *cache)
{
	struct cache_node *n;
	int nid;

	free_percpu(cache->cpu);
	for_each_cache_node(cache, nid, n) {
		kvfree(n->shared);
		kfree(n);
	}
	fault_set_exit(&cache->faults);
	kfree(cache->dirname);
	kfree(cache->name);
	kfree(cache);
}

static bool dirname_taken(const char *dirname)
{
	struct mpslab_cache *cache;

	list_for_each_entry(cache, &mpslab_caches, list)
		if (!strcmp(cache->dirname, dirname))
			return true;
	return false;
}

/*
 * A name that is safe as a directory's and as a word of a table: printable, no
 * slash, no leading dot, and no other cache's.
 */
static char *make_dirname(const char *name)
{
	char *dirname = setup_alloc(kmalloc(DIRNAME_MAX, GFP_KERNEL));
	unsigned int i, len;

	lockdep_assert_held(&mpslab_mutex);
	if (!dirname)
		return NULL;
	len = strscpy_pad(dirname, name, DIRNAME_MAX - 12) < 0 ?
		DIRNAME_MAX - 13 : strlen(name);
	for (i = 0; i < len; i++)
		if (!isascii(dirname[i]) || !isgraph(dirname[i]) ||
		    dirname[i] == '/' || dirname[i] == '#' ||
		    (!i && dirname[i] == '.'))
			dirname[i] = '_';
	for (i = 2; dirname_taken(dirname); i++)
		snprintf(dirname + len, DIRNAME_MAX - len, "~%u", i);
	return dirname;
}

static int cache_register(struct mpslab_cache *cache)
{
	mutex_lock(&mpslab_mutex);
	cache->dirname = make_dirname(cache->name);
	if (cache->dirname)
		list_add_tail(&cache->list, &mpslab_caches);
	mutex_unlock(&mpslab_mutex);
	return cache->dirname ? 0 : -ENOMEM;
}

static struct mpslab_cache *cache_create(const char *name, unsigned int size,
					 const struct mpslab_cache_args *args,
					 slab_flags_t flags)
{
	struct mpslab_cache *cache;
	int err;

	err = check_args(name, size, args, flags);
	if (err)
		return ERR_PTR(err);
	cache = setup_alloc(kzalloc(struct_size(cache, node, nr_node_ids),
				    GFP_KERNEL));
	if (!cache)
		return ERR_PTR(-ENOMEM);
	cache->object_size = size;
	cache->flags = flags;
	cache->ctor = args->ctor;
	cache->page_gfp = page_gfp(flags);
	mutex_init(&cache->tune_lock);
	set_wiping(cache);
	fault_set_init(&cache->faults);

	cache->name = setup_alloc(kstrdup(name, GFP_KERNEL));
	err = cache->name ? 0 : -ENOMEM;
	if (!err)
		err = set_geometry(cache, args);
	if (!err)
		err = create_layers(cache, args);
	if (!err)
		err = cache_register(cache);
	if (err) {
		cache_free(cache);
		return ERR_PTR(err);
	}
	/* A live cache needs our code; its client may not, if it forgets it. */
	__module_get(THIS_MODULE);
	debugfs_cache_add(cache);
	return cache;
}

/**
 * mpslab_cache_create_args() - create a cache, with less common arguments
 * @name: its name in debugfs and in reports; copied
 * @size: size of an object, bytes, 1 to KMALLOC_MAX_SIZE
 * @args: see there; NULL for none
 * @flags: SLAB_* flags.  With %SLAB_PANIC failure is fatal, as the flag says.
 *
 * Caches of one name may exist side by side; debugfs tells them apart.
 *
 * Context: task; sleeps.
 * Return: the cache, or NULL without memory and, with a report, for bad
 * arguments.
 */
struct mpslab_cache *
mpslab_cache_create_args(const char *name, unsigned int size,
			 const struct mpslab_cache_args *args,
			 slab_flags_t flags)
{
	static const struct mpslab_cache_args no_args;
	struct mpslab_cache *cache;

	cache = cache_create(name, size, args ?: &no_args, flags);
	if (!IS_ERR(cache))
		return cache;
	if (flags & SLAB_PANIC)
		panic("mpslab: cannot create cache %s (error %ld)", name,
		      PTR_ERR(cache));
	return NULL;
}
EXPORT_SYMBOL_GPL(mpslab_cache_create_args);

/**
 * mpslab_cache_create() - create a cache
 * @name: its name in debugfs and in reports; copied
 * @size: size of an object, bytes, 1 to KMALLOC_MAX_SIZE
 * @align: required alignment, bytes, a power of two; 0 for none
 * @flags: SLAB_* flags
 * @ctor: run once for every object when its slab is born; NULL for none
 *
 * Context: task; sleeps.
 * Return: as mpslab_cache_create_args().
 */
struct mpslab_cache *mpslab_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *obj))
{
	struct mpslab_cache_args args = { .align = align, .ctor = ctor };

	return mpslab_cache_create_args(name, size, &args, flags);
}
EXPORT_SYMBOL_GPL(mpslab_cache_create);

/* ------------------------------------------------------- shrinking, destruction -- */

/* The slabs that the nodes have now, and the objects in use there. */
static unsigned long live_slabs(struct mpslab_cache *cache,
				unsigned long *objects)
{
	unsigned long slabs = 0, flags;
	struct cache_node *n;
	int nid;

	*objects = 0;
	for_each_cache_node(cache, nid, n) {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		slabs += n->nr_partial + n->nr_full + n->nr_free;
		*objects += n->objects - n->free_objects;
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	return slabs;
}

/**
 * mpslab_cache_shrink() - give back all memory that holds no object in use
 * @cache: the cache
 *
 * Context: task; sleeps.
 * Return: 0 if no slab is left, 1 if some are, -EINVAL for a NULL cache.
 */
int mpslab_cache_shrink(struct mpslab_cache *cache)
{
	unsigned long objects;

	if (!cache) {
		usage_bug("cache", "shrink of a NULL cache");
		return -EINVAL;
	}
	cache_drain(cache);
	return live_slabs(cache, &objects) != 0;
}
EXPORT_SYMBOL_GPL(mpslab_cache_shrink);

/*
 * The client is done with the cache, and its code, the constructor too, may go.  Who
 * writes to the cache's files is not done: see cache_force_grow().
 */
static void set_closing(struct mpslab_cache *cache)
{
	mutex_lock(&cache->tune_lock);
	cache->closing = true;
	mutex_unlock(&cache->tune_lock);
}

/*
 * Give back all slabs that hold no object in use, with the objects that are kept aside
 * if there are no others.  The slabs that are left, and the objects in use there.
 */
static unsigned long drain_for_good(struct mpslab_cache *cache,
				    unsigned long *objects)
{
	unsigned long slabs, aside;

	cache_drain(cache);
	slabs = live_slabs(cache, objects);
	aside = atomic_long_read(&cache->aside);
	if (!aside || *objects > aside) {
		*objects -= aside;
		return slabs;
	}
	cache_forget_aside(cache);
	cache_drain(cache);
	return live_slabs(cache, objects);
}

/**
 * mpslab_cache_destroy() - destroy a cache
 * @cache: the cache; NULL is fine
 *
 * With objects still in use that is reported and refused: the cache stays as it
 * is, works, and can be destroyed when they are free.
 *
 * Context: task; sleeps.  Nobody else uses the cache any more.
 */
void mpslab_cache_destroy(struct mpslab_cache *cache)
{
	unsigned long objects;

	if (!cache)
		return;
	if (READ_ONCE(cache->rcu_frees))
		kvfree_rcu_wait();
	set_closing(cache);
	if (drain_for_good(cache, &objects)) {
		cache_bug(cache, ERROR_IN_USE, "cache kept",
			  "destroyed with %lu object(s) in use", objects);
		report_leaks(cache);
		return;
	}

	/* The name is free for another cache when its directory is gone. */
	debugfs_cache_remove(cache);
	mutex_lock(&mpslab_mutex);
	list_del(&cache->list);
	mutex_unlock(&mpslab_mutex);
	cache_size_stop(cache);
	/* slab_destroy_rcu() reads the cache. */
	if (cache->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier();
	cache_free(cache);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(mpslab_cache_destroy);

/**
 * mpslab_cache_size() - size of the objects of a cache
 * @cache: the cache
 *
 * Context: any.
 * Return: bytes, as given to mpslab_cache_create(); 0 for a NULL cache.
 */
unsigned int mpslab_cache_size(struct mpslab_cache *cache)
{
	if (!cache) {
		usage_bug("cache", "size of a NULL cache");
		return 0;
	}
	return cache->object_size;
}
EXPORT_SYMBOL_GPL(mpslab_cache_size);
