/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mpslab share: the lock order, the private structures, and
 * the prototypes, grouped by the file that defines them.
 *
 * Lock order, outermost first:
 *
 *   0. tunables_mutex              debugfs.c: one write of a tunable at a time
 *   1. mpslab_cache.tune_lock      the size of one cache's arrays, what is looked at,
 *                                  and whether its client is done with it
 *      mpslab_pool.resize_lock     the size of one pool's reserve, and whether it
 *                                  is known who holds it
 *   2. cpus_read_lock()            CPUs neither come nor go
 *   3. mpslab_mutex                the list of caches; whose arrays are being
 *                                  replaced; one drain of all CPUs at a time
 *      walk_mutex                  slab_watch.c: one walk over debugged slabs at
 *                                  a time; with none of 0 to 3
 *      fault_mutex                 fault_plan.c: all plans; likewise
 *   4. cpu_cache.gate              this CPU's arrays of one cache; no lock but
 *                                  a word that only this CPU looks at
 *   5. cache_node.list_lock (raw)  one node of one cache; never two at once
 *      mpslab_pool.lock (raw)      one pool; never together with a list_lock
 *      pool_track.lock (raw)       who holds its elements; with neither of them
 *
 * Never done under 4 or 5: calling the page allocator, a constructor, or a
 * pool's backend.  Nothing under 5 takes longer than one of the batches below,
 * however large an array is, but what is asked for as one: pool_grow() copies the
 * reserve, a bulk allocation takes all that it wants of it, and pool_waiters() and
 * pool_holders() copy what one reading of debugfs shows.
 *
 * The module's debugfs directories are removed with none of these held, because
 * debugfs waits for the readers, who may take 0 to 5.  Two more, of debugfs_pool.c,
 * no reader takes: one_at_a_time, around the renewal of a directory, and
 * pool_names_mutex, under which nothing else is taken.
 */
#ifndef MPSLAB_INTERNAL_H
#define MPSLAB_INTERNAL_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/topology.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <asm/local.h>

#include "mpslab.h"
#include "compat.h"
#include "array_cache.h"
#include "fault_plan.h"

#undef pr_fmt
#define pr_fmt(fmt) "mpslab: " fmt

/* Objects in one CPU's array of objects on their way home to one node. */
#define ALIEN_LIMIT		12
/* With more nodes than this, remote objects go home one by one. */
#define ALIEN_NODES_MAX		64
/* What a cache that was not touched lately refills at most. */
#define BOUNCE_REFILL		16
/* Free slabs detached under one hold of a list_lock. */
#define DETACH_BATCH		16
/*
 * Objects taken from, or freed to, a node's lists under one hold: some thousand
 * instructions, an object that is freed to a slab of its own being the dearest.
 */
#define TAKE_BATCH		128
#define PUT_BATCH		8
/* Largest order that is chosen; larger objects get what they need. */
#define DENSE_ORDER_MAX		3
/* Objects in a debugged slab, and the least bytes of a red zone. */
#define DEBUG_OBJECTS		128U
#define RED_ZONE_BYTES		8
/* Bounds of the tunables; both arrays fit the per-CPU allocator's 32 KiB. */
#define CPU_LIMIT_MAX		1024
#define SHARED_FACTOR_MAX	64

/* -------------------------------------------------------- data: the slab -- */

/**
 * struct mpslab_slab - descriptor of one page block
 * @cache: the cache that it belongs to; NULL is never seen by a client
 * @page: head page of the block.  page->private points back here; page->lru is
 *	on one of the node's three lists, under cache_node.list_lock, and
 *	page->rcu_head takes its place once the slab has left the node for good
 * @where: the first object, and what the slab is; SLAB_* below
 * @objects: objects in it
 * @inuse: objects not in @free; under cache_node.list_lock
 * @free: one bit for each object, set while it is free in the slab; under
 *	cache_node.list_lock, but see slab_free_bit().  An object in an array counts
 *	as in use here
 *
 * A bit for each object, as in FreeBSD's UMA (sys/vm/uma_core.c), where
 * mm/slab.c kept a stack of indices: an eighth of the space, and the slab can
 * tell at once that an object is being freed twice.
 */
struct mpslab_slab {
	struct mpslab_cache *cache;
	struct page *page;
	u32 where;
	u16 objects;
	u16 inuse;
	unsigned long free[];
};

/*
 * Of mpslab_slab.where.  Only the last two change in a slab's life, under
 * list_lock; the others are read without it.
 */
#define SLAB_OFFSET		GENMASK(19, 0)	/* of the first object, bytes */
#define SLAB_WANTED		GENMASK(23, 20)	/* mpslab_cache.debug as it was born */
#define SLAB_DEBUGGED		BIT(28)		/* a struct slab_debug follows */
#define SLAB_STALE		BIT(29)		/* nothing is taken from it any more */
#define SLAB_YOUNG		BIT(30)		/* never yet all taken; see slab_take() */

/* What lies off its slab should take no more than kmalloc() would anyway. */
static_assert(!IS_ENABLED(CONFIG_64BIT) || sizeof(struct mpslab_slab) == 24);

#define SLAB_OBJECTS_MAX	U16_MAX

static inline void *slab_base(const struct mpslab_slab *slab)
{
	return page_address(slab->page) + (READ_ONCE(slab->where) & SLAB_OFFSET);
}

static __always_inline bool slab_is_debugged(const struct mpslab_slab *slab)
{
	/* Other bits of it may change meanwhile. */
	return data_race(slab->where) & SLAB_DEBUGGED;
}

static inline unsigned int slab_order(const struct mpslab_slab *slab)
{
	return compound_order(slab->page);
}

static inline int slab_nid(const struct mpslab_slab *slab)
{
	return page_to_nid(slab->page);
}

/* Was the descriptor allocated apart from the block? */
static inline bool slab_is_apart(const struct mpslab_slab *slab)
{
	return (unsigned long)slab - (unsigned long)page_address(slab->page) >=
	       PAGE_SIZE << slab_order(slab);
}

/* The slab of a page on a node's list. */
static inline struct mpslab_slab *slab_listed(const struct page *page)
{
	return (struct mpslab_slab *)page_private(page);
}

/*
 * Is the object of that number free in its slab?  Without list_lock, too: its bit was
 * cleared before it was handed out, which who has the object sees as he sees what its
 * last user wrote to it (models/litmus/slab-taken.litmus), and is set when it comes home.
 */
static __always_inline bool slab_free_bit(const struct mpslab_slab *slab,
					  unsigned int i)
{
	/* Its neighbours' bits may change meanwhile. */
	return data_race(slab->free[BIT_WORD(i)]) & BIT_MASK(i);
}

/*
 * In page->private of a slab that has left its node, so that nobody finds it who frees
 * an object of it once more.
 */
#define SLAB_GONE		1UL

static inline struct mpslab_slab *slab_detached(const struct page *page)
{
	return (struct mpslab_slab *)(page_private(page) & ~SLAB_GONE);
}

/*
 * Where slabs and their descriptors are, or were: a bit for each 2 MiB of the
 * direct map, where all pages have a struct page if one has.
 */
#define REGION_SHIFT		21

struct slab_regions {
	unsigned long nr;
	unsigned long *known;
};

extern struct slab_regions slab_regions;

/*
 * May what is at @addr, and its struct page, be looked at?  What virt_addr_valid()
 * asks takes ten times as long, and would let pass what can't be ours.
 */
static __always_inline bool region_known(const void *addr)
{
	unsigned long region = ((unsigned long)addr - PAGE_OFFSET) >> REGION_SHIFT;

	if (unlikely(region >= slab_regions.nr))	/* perhaps hot-added */
		return virt_addr_valid(addr);
	return READ_ONCE(slab_regions.known[BIT_WORD(region)]) >>
	       (region % BITS_PER_LONG) & 1;
}

/* The node of the memory at @obj, which may be any address, or NUMA_NO_NODE. */
static __always_inline int obj_nid(const void *obj)
{
	if (unlikely(!region_known(obj)))
		return NUMA_NO_NODE;
	return page_to_nid(virt_to_page(obj));
}

/**
 * struct slab_geometry - how objects lie in a page block of one order
 * @order: the order
 * @objects: objects per slab
 * @colours: number of different offsets of the first object, at least 1
 * @off_slab: the descriptor does not lie at the end of the block
 */
struct slab_geometry {
	u8 order;
	bool off_slab;
	unsigned int objects;
	unsigned int colours;
};

/* ----------------------------------------------------- data: debugging slabs -- */

/* What is looked at; letters as of the kernel's slab_debug=. */
#define DEBUG_CHECKS		BIT(0)	/* F: is it an object of the cache? */
#define DEBUG_RED_ZONE		BIT(1)	/* Z: was something written beside it? */
#define DEBUG_POISON		BIT(2)	/* P: or to it, while it was free? */
#define DEBUG_USER		BIT(3)	/* U: who allocated it, who freed it? */

static_assert(SLAB_WANTED >> 20 ==
	      (DEBUG_CHECKS | DEBUG_RED_ZONE | DEBUG_POISON | DEBUG_USER));

/* No flag of the page allocator's: there is more to do than to zero an object. */
#define GFP_WORK		((__force gfp_t)BIT(31))

/* What clients do wrong with a cache; the names are in slab_debug.c. */
enum cache_error {
	ERROR_DOUBLE_FREE,
	ERROR_INSIDE,		/* free of an address inside of an object */
	ERROR_OTHER_CACHE,
	ERROR_NO_OBJECT,
	ERROR_RED_ZONE,
	ERROR_POISON,
	ERROR_DESCRIPTOR,	/* a slab's own words were written over */
	ERROR_CONTEXT,		/* free where it can't be done */
	ERROR_IN_USE,		/* destroyed with objects in use */
	ERROR_ARGUMENT,
	NR_CACHE_ERRORS
};

#define NR_FREE_ERRORS		(ERROR_NO_OBJECT + 1)

/* Frees found to be wrong, by what is wrong with them. */
struct bad_frees {
	unsigned int nr[NR_FREE_ERRORS];
	const void *last[NR_FREE_ERRORS];
};

/**
 * struct debug_layout - how objects lie in a debugged slab
 * @size: distance of two objects, bytes
 * @inverse: 2^32 / @size, rounded up
 * @left: bytes of the red zone before an object; the rest is behind it
 * @geo: the slab, its descriptor apart
 */
struct debug_layout {
	unsigned int size;
	u32 inverse;
	unsigned int left;
	struct slab_geometry geo;
};

/* Who allocated or freed an object, and when (nanoseconds since boot). */
struct obj_track {
	u64 when;
	depot_stack_handle_t stack;	/* 0: not known */
	pid_t pid;
	int cpu;
};

/**
 * struct slab_debug - what a debugged slab knows of its objects
 * @list: on cache_node.debugged, under list_lock
 * @slab: the slab
 * @visit: the last walk that came by, under list_lock
 * @options: DEBUG_*
 * @state: one word for each object; slab_check.c
 *
 * Lies behind the descriptor.  With DEBUG_USER, two struct obj_track for each
 * object follow: who allocated it and who freed it last.
 */
struct slab_debug {
	struct list_head list;
	struct mpslab_slab *slab;
	u32 visit;
	u8 options;
	u32 state[];
};

/* What is known of an object, to be told when its slab may have gone. */
struct object_view {
	unsigned int index;
	unsigned int objects;		/* in its slab */
	unsigned int inside;		/* bytes from its start to what is meant */
	struct obj_track allocated;
	struct obj_track freed;
};

/**
 * struct wrong_byte - a byte of an object that is not what it should be
 * @error: ERROR_RED_ZONE or ERROR_POISON
 * @at: where, in bytes from the start of the object
 * @found: the byte
 * @expected: what was to be found
 */
struct wrong_byte {
	enum cache_error error;
	long at;
	u8 found;
	u8 expected;
};

/* All that is said of it. */
struct object_fault {
	struct mpslab_cache *cache;
	struct object_view view;
	struct wrong_byte wrong;
};

/* How long ago; the clocks of two CPUs may differ by a little.  Nanoseconds. */
static inline u64 age_ns(u64 now, u64 when)
{
	return now > when ? now - when : 0;
}

/* Of a slab with SLAB_DEBUGGED. */
static inline struct slab_debug *slab_debug(struct mpslab_slab *slab)
{
	return PTR_ALIGN((void *)&slab->free[BITS_TO_LONGS(slab->objects)],
			 sizeof(u64));
}

/* One CPU's counts. */
struct cpu_stat {
	unsigned long allocs;	/* objects handed out through the arrays */
	unsigned long frees;	/* objects taken back through the arrays */
	unsigned long misses;	/* allocations that found the array empty */
	unsigned long refills;	/* refills from the node's lists */
	unsigned long flushes;	/* flushes of a full array */
};

/**
 * struct cpu_cache - one CPU's part of a cache
 * @base: counts carried over from arrays that were replaced by others; written
 *	under mpslab_mutex only
 * @aged_allocs: @stat.allocs when the array last aged: if it is the same now,
 *	nobody took from the array since
 * @trips: to the node's lock, of late; see slab_size.c
 * @swings: those of them that the shared array served
 * @trips_since: when both were 0, in jiffies
 * @gate: ac.limit while the arrays are open, 0 while a context on this CPU uses
 *	them; see cpu_cache_close()
 * @stat: counts since
 * @ac: the array; its entries follow, then the alien arrays
 *
 * Only the owning CPU touches it, with preemption off and @gate closed; a CPU that
 * is dead is drained by the one that buried it.  Readers for debugfs look at
 * single words without protection.
 */
struct cpu_cache {
	struct cpu_stat base;
	unsigned long aged_allocs;
	unsigned int trips;
	unsigned int swings;
	unsigned long trips_since;

	unsigned int gate ____cacheline_aligned_in_smp;
	struct cpu_stat stat;
	struct array_cache ac;
	/* ac.entry[limit], then nr_aliens arrays of ALIEN_LIMIT */
};

/* All that a push or a pop needs, but for the entry, is in one cache line. */
static_assert(!IS_ENABLED(CONFIG_64BIT) ||
	      offsetof(struct cpu_cache, ac.entry) -
	      offsetof(struct cpu_cache, gate) <= 64);

/**
 * struct cache_node - one NUMA node's part of a cache
 * @list_lock: guards everything here, and the lists' slabs; but see @shared
 * @partial: slabs with free and used objects
 * @full: slabs without free objects
 * @free: slabs without used objects
 * @nr_partial: length of @partial
 * @nr_full: length of @full
 * @nr_free: length of @free
 * @debugged: those of them that have a struct slab_debug, by age
 * @pages: pages in all slabs of the node
 * @objects: objects in them
 * @free_objects: those free in their slabs
 * @free_limit: a slab that becomes free above this many @free_objects goes back
 *	to the page allocator
 * @colour_next: colour of the next slab, modulo the geometry's colours
 * @touched: a slab was taken from @free since the last reap
 * @shared_touched: the same of @shared
 * @shared: array that all CPUs of the node share; NULL if the factor is 0.  Where
 *	it is, and how full, is also read with preemption off only: flush()
 * @allocs: objects handed out without passing a CPU's array
 * @frees: objects taken back without passing a CPU's array
 * @grown: slabs added
 * @reaped: slabs given back
 * @next_reap: when the node is to be reaped next, in jiffies
 */
struct cache_node {
	raw_spinlock_t list_lock;
	struct list_head partial;
	struct list_head full;
	struct list_head free;
	struct list_head debugged;
	unsigned long nr_partial;
	unsigned long nr_full;
	unsigned long nr_free;
	unsigned long pages;
	unsigned long objects;
	unsigned long free_objects;
	unsigned long free_limit;
	unsigned int colour_next;
	bool touched;
	bool shared_touched;
	struct array_cache *shared;
	unsigned long allocs;
	unsigned long frees;
	unsigned long grown;
	unsigned long reaped;
	unsigned long next_reap;	/* jiffies; under mpslab_mutex */
} ____cacheline_aligned_in_smp;

/*
 * A cache of objects of one size.
 *
 * The first block is read by every allocation and free and written never (but
 * for @cpu, when arrays change size); the second is read by the slow paths; the
 * third is for creation, destruction and debugfs.
 */
struct mpslab_cache {
	/* fast path */
	struct cpu_cache __percpu *cpu;	/* see cpu_cache_replace() */
	unsigned long push_above;	/* a free of a higher address is a mere push */
	gfp_t work_gfp;			/* __GFP_ZERO, GFP_WORK: after every alloc */
	bool init_on_free;
	bool numa;			/* objects may be of another node */
	bool look;			/* slab_check.c looks at every object */
	unsigned int object_size;	/* as the client asked, bytes */

	/* slow path */
	unsigned int size;		/* distance of two objects, bytes */
	unsigned int align;		/* bytes */
	u32 inverse;			/* 2^32 / size, rounded up */
	slab_flags_t flags;
	gfp_t page_gfp;			/* added to every page allocation */
	void (*ctor)(void *obj);
	struct slab_geometry best;
	struct slab_geometry fallback;	/* of the least order that fits */
	unsigned int colour_off;	/* bytes between two colours */
	unsigned int nr_aliens;		/* alien arrays per CPU; 0 without NUMA */
	struct debug_layout debug_layout;
	u8 debug;			/* DEBUG_* of new slabs; under tune_lock */
	unsigned int sample;		/* one in so many objects is traced */
	atomic_t nr_debugged;		/* slabs that have a struct slab_debug */

	/* life */
	const char *name;		/* as given */
	const char *dirname;		/* safe and unique; slabinfo and debugfs */
	struct list_head list;		/* under mpslab_mutex */
	bool closing;			/* see mpslab_cache_destroy(); under tune_lock */
	struct dentry *dir;
	unsigned int limit;		/* tunables, under mpslab_mutex */
	unsigned int batchcount;
	unsigned int shared_factor;	/* shared limit is this * batchcount */
	struct mutex tune_lock;
	bool auto_size;			/* nobody asked for a size; slab_size.c */
	unsigned int first_limit;	/* as at creation */
	unsigned int first_shared;	/* the shared factor likewise */
	unsigned long calm_at;		/* jiffies; any CPU writes it */
	unsigned long calm_time;	/* jiffies; written under tune_lock */
	struct irq_work size_irq;
	struct work_struct size_work;
	bool rcu_frees;			/* mpslab_kvfree_rcu() was used */
	atomic_long_t refused;		/* frees counted, but found to be wrong */
	atomic_long_t aside;		/* objects in doubt, kept for good */
	atomic_long_t errors[NR_CACHE_ERRORS];
	struct fault_set faults;

	struct cache_node *node[];	/* nr_node_ids; NULL where impossible */
};

/* What to do after an allocation. */
static __always_inline gfp_t cache_work_gfp(const struct mpslab_cache *cache)
{
	/* cache_set_work() may change it; who comes early sees the old value. */
	return data_race(cache->work_gfp);
}

/* Do tools of the kernel want to know of objects that come and go? */
static inline bool cache_has_tools(const struct mpslab_cache *cache)
{
	bool use = IS_ENABLED(CONFIG_KASAN_GENERIC) || IS_ENABLED(CONFIG_KMSAN);

	return (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) &&
		!(cache->flags & SLAB_NOLEAKTRACE)) ||
	       (use && !(cache->flags & SLAB_TYPESAFE_BY_RCU));
}

/* The first node from *@nid on that the cache has; NULL behind the last. */
static inline struct cache_node *
cache_node_from(const struct mpslab_cache *cache, int *nid)
{
	for (; *nid < nr_node_ids; (*nid)++)
		if (cache->node[*nid])
			return cache->node[*nid];
	return NULL;
}

#define for_each_cache_node(cache, nid, n)				\
	for ((nid) = 0, (n) = cache_node_from(cache, &(nid)); (n);	\
	     (nid)++, (n) = cache_node_from(cache, &(nid)))

/*
 * May what the page allocator and others take for short locks be taken here?  On
 * PREEMPT_RT these sleep.
 */
static inline bool may_take_sleeping_locks(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

DECLARE_PER_CPU(int, cpu_near_node);

/*
 * The node whose memory is nearest to this CPU.  numa_mem_id() says so on some
 * architectures only: on x86 it is the CPU's own node, be there memory or not.
 */
static __always_inline int near_node(void)
{
	return raw_cpu_read(cpu_near_node);
}

/* The array of @cc for objects of node @nid; only if cache->nr_aliens. */
static inline struct array_cache *cpu_cache_alien(struct cpu_cache *cc, int nid)
{
	return (void *)&cc->ac.entry[cc->ac.limit] + nid * ac_bytes(ALIEN_LIMIT);
}

/* ------------------------------------------------------- slab_geometry.c -- */

/* Pure arithmetic, so that a test can sweep it. */
unsigned int geometry_align(unsigned int size, unsigned int align,
			    slab_flags_t flags);
size_t geometry_descriptor_bytes(unsigned int objects);
size_t geometry_bytes(const struct slab_geometry *geo);
bool geometry_fit(struct slab_geometry *geo, unsigned int order,
		  unsigned int size, unsigned int align);
void geometry_fit_apart(struct slab_geometry *geo, unsigned int order,
			unsigned int size, unsigned int align,
			unsigned int left);
int geometry_choose(struct mpslab_cache *cache, unsigned int cpus);
void geometry_array_sizes(unsigned int size, unsigned int cpus,
			  unsigned int *limit, unsigned int *batchcount,
			  unsigned int *shared);
unsigned int geometry_keep(unsigned int size, unsigned int objects);

/* ---------------------------------------------------------- slab_tools.c -- */

void tools_see_alloc(const struct mpslab_cache *cache, gfp_t gfp, void *obj);
void tools_see_free(const struct mpslab_cache *cache, void *obj);
void tools_see_slab(struct mpslab_slab *slab);
void tools_see_slab_go(struct mpslab_slab *slab);

/* ----------------------------------------------------------- slab_page.c -- */

int slab_regions_init(void);
void slab_regions_exit(void);
void slab_regions_forget(const void *start, size_t bytes);
struct mpslab_slab *slab_create(struct mpslab_cache *cache, gfp_t gfp,
				gfp_t allowed, int nid);
void slab_list_release(struct mpslab_cache *cache, struct list_head *slabs);

/* ----------------------------------------------------------- slab_node.c -- */

void slab_random_init(void);
struct mpslab_slab *obj_to_slab(const struct mpslab_cache *cache,
				const void *obj);
struct mpslab_slab *any_slab(const void *obj);
unsigned int slab_take(struct mpslab_slab *slab, void **to, unsigned int max);
int slab_index(const struct mpslab_slab *slab, const void *obj);
int obj_to_index(const struct mpslab_cache *cache, const void *obj,
		 struct mpslab_slab **slab);
bool slab_put(struct mpslab_slab *slab, void *obj);
void *slab_object(const struct mpslab_slab *slab, unsigned int i);
void *slab_object_around(const struct mpslab_slab *slab, const void *addr,
			 size_t bytes);
void node_add_slab(struct cache_node *n, struct mpslab_slab *slab);
unsigned int node_take(struct cache_node *n, void **to, unsigned int want);
bool node_put(struct cache_node *n, struct mpslab_slab *slab, void *obj,
	      struct list_head *empty);
unsigned int node_put_run(struct mpslab_cache *cache, struct cache_node *n,
			  void **objs, unsigned int nr,
			  struct list_head *empty, struct bad_frees *bad);
unsigned int sift_frees(const struct mpslab_cache *cache, void **objs,
			unsigned int look, unsigned int *nr,
			struct bad_frees *bad);
void refuse_objects(struct mpslab_cache *cache, const struct bad_frees *bad);
void put_objects(struct mpslab_cache *cache, void **objs, unsigned int nr,
		 struct list_head *empty);
unsigned long node_reap_free(struct mpslab_cache *cache, struct cache_node *n,
			     unsigned long max_slabs);
unsigned long node_drain_shared(struct mpslab_cache *cache,
				struct cache_node *n, unsigned long max);

/* ---------------------------------------------------------- slab_cache.c -- */

void *alloc_work(struct mpslab_cache *cache, gfp_t gfp, void *obj);
enum cache_error free_error(const struct mpslab_slab *slab, int index,
			    const void *obj);
unsigned int cpu_cache_drain(struct mpslab_cache *cache, struct cpu_cache *cc,
			     unsigned int max, struct list_head *empty);
void cpu_cache_drain_aliens(struct mpslab_cache *cache, struct cpu_cache *cc,
			    struct list_head *empty);
void cpu_cache_drain_local(struct mpslab_cache *cache);
void cpu_cache_refill_local(struct mpslab_cache *cache);
void cpu_cache_reap_local(struct mpslab_cache *cache);

/* ---------------------------------------------------------- slab_setup.c -- */

/* Totals of a cache at one instant; see cache_balance(). */
struct cache_balance {
	unsigned long slabs;
	unsigned long pages;
	unsigned long objects;		/* in all slabs */
	unsigned long in_use;		/* allocs - (frees - refused) - aside */
	unsigned long aside;		/* in doubt, in nobody's hands */
	unsigned long cpu;		/* in the CPUs' arrays */
	unsigned long alien;		/* in arrays, on the way home */
	unsigned long shared;		/* in the nodes' shared arrays */
	unsigned long free;		/* free in their slabs */
	long off;			/* objects - the sum; 0 is right */
};

extern struct mutex mpslab_mutex;
extern struct list_head mpslab_caches;

int cache_tune_locked(struct mpslab_cache *cache, unsigned int limit,
		      unsigned int batchcount, unsigned int shared_factor);
int cache_tune(struct mpslab_cache *cache, unsigned int limit,
	       unsigned int batchcount, unsigned int shared_factor);
void cache_balance(struct mpslab_cache *cache, struct cache_balance *b);
void cache_cpu_stat(struct mpslab_cache *cache, int cpu, struct cpu_stat *st);

/* ---------------------------------------------------------- slab_check.c -- */

size_t slab_debug_bytes(unsigned int objects, u8 options);
void slab_debug_init(struct mpslab_slab *slab, u8 options);
bool view_address(struct object_view *view, struct mpslab_cache *cache,
		  const void *addr);
bool check_alloc(struct mpslab_cache *cache, void *obj);
bool check_free(struct mpslab_cache *cache, void *obj);
bool check_object(struct mpslab_slab *slab, unsigned int i,
		  struct object_fault *fault);
void report_fault(const struct object_fault *fault, const char *fix);
bool check_in_use(struct mpslab_slab *slab, unsigned int i);
struct obj_track *slab_track(struct mpslab_slab *slab, unsigned int i, bool freed);
void check_forget_aside(struct mpslab_slab *slab);

/* ---------------------------------------------------------- slab_watch.c -- */

/* What cache_validate() found. */
struct validation {
	unsigned long slabs;
	unsigned long debugged;		/* of them, with their objects */
	unsigned long objects;		/* looked at */
	unsigned long wrong;
};

/**
 * struct debug_wish - what is to be looked at
 * @options: DEBUG_*
 * @sample: one in so many objects is traced, 1 for all
 */
struct debug_wish {
	u8 options;
	unsigned int sample;
};

#define DEBUG_TEXT_LEN	5

int debug_parse(const char *text, size_t len, struct debug_wish *wish);
void debug_print(u8 options, char text[DEBUG_TEXT_LEN]);
struct debug_wish debug_for_name(const char *text, const char *name);
int cache_debug_init(struct mpslab_cache *cache);
int cache_debug_set(struct mpslab_cache *cache, u8 options, unsigned int sample);
void cache_debug_settle(struct mpslab_cache *cache);
void cache_set_work(struct mpslab_cache *cache, bool look);
void cache_forget_aside(struct mpslab_cache *cache);
void cache_validate(struct mpslab_cache *cache, struct validation *v);
bool walk_debugged(struct mpslab_cache *cache,
		   bool (*look)(struct mpslab_slab *slab, void *data),
		   bool (*note)(void *data), void *data);

/* ---------------------------------------------------------- slab_trace.c -- */

enum trace_kind { TRACE_ALLOCS, TRACE_FREES, TRACE_LEAKS };

/* Objects that have one stack in common. */
struct trace_sum {
	depot_stack_handle_t stack;	/* 0: of those that were not traced */
	unsigned long count;
	u64 oldest;			/* as obj_track.when */
	u64 newest;
	pid_t pid_min;
	pid_t pid_max;
	struct cpumask *cpus;
};

/**
 * struct traces - all of a cache's objects that are traced, by stack
 * @kind: which
 * @now: when
 * @nr: stacks
 * @sums: one for each, sorted
 */
struct traces {
	enum trace_kind kind;
	u64 now;
	unsigned int nr;
	struct trace_sum **sums;
};

int traces_init(void);
struct traces *traces_collect(struct mpslab_cache *cache, enum trace_kind kind);
void traces_free(struct traces *traces);
void report_leaks(struct mpslab_cache *cache);

/* ----------------------------------------------------------- slab_size.c -- */

void cache_size_trip(struct mpslab_cache *cache, struct cpu_cache *cc,
		     bool swing);
void cache_size_age(struct mpslab_cache *cache);
void cache_size_init(struct mpslab_cache *cache, bool auto_size);
void cache_size_auto(struct mpslab_cache *cache, bool on);
void cache_size_stop(struct mpslab_cache *cache);

/* ----------------------------------------------------------- slab_reap.c -- */

void near_node_init(void);
void cpu_cache_drain_dead(struct mpslab_cache *cache, struct cpu_cache *cc);
void cache_drain(struct mpslab_cache *cache);
int cache_force_drain(struct mpslab_cache *cache);
int cache_force_refill(struct mpslab_cache *cache);
int cache_force_grow(struct mpslab_cache *cache);
void cache_reap(struct mpslab_cache *cache);
int slab_reap_init(void);
void slab_reap_exit(void);

/* --------------------------------------------------------- slab_dropin.c -- */

void kvfree_rcu_wait(void);
int slab_dropin_init(void);
void slab_dropin_exit(void);

/* ---------------------------------------------------------- slab_debug.c -- */

/*
 * One grammar for what a caller did wrong, and the tests match it:
 * "BUG <who>: <what>" and, where something was done, "FIX <who>: ...".
 */
__printf(4, 5) void cache_bug(struct mpslab_cache *cache, enum cache_error error,
			      const char *fix, const char *fmt, ...);
__printf(5, 6) void cache_bug_object(struct mpslab_cache *cache,
				     const struct object_view *view,
				     enum cache_error error, const char *fix,
				     const char *fmt, ...);
const char *cache_error_name(enum cache_error error);
unsigned long cache_errors(struct mpslab_cache *cache);
void report_bad_free(struct mpslab_cache *cache, enum cache_error error,
		     const void *obj, unsigned int nr);
void refuse_free(struct mpslab_cache *cache, enum cache_error error,
		 const void *obj);
__printf(3, 4) void __usage_bug(bool *said, const char *who,
				const char *fmt, ...);

/* A bad argument: counted always, said once for each place that finds it. */
#define usage_bug(who, fmt, ...)					\
do {									\
	static bool __said;						\
									\
	__usage_bug(&__said, who, fmt, ##__VA_ARGS__);			\
} while (0)

unsigned long usage_bugs(void);

/* ------------------------------------------------------------- debugfs.c -- */

int debugfs_root_init(void);
void debugfs_root_exit(void);
void debugfs_cache_add(struct mpslab_cache *cache);
void debugfs_cache_remove(struct mpslab_cache *cache);

#endif /* MPSLAB_INTERNAL_H */
