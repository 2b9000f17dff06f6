/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mpslab: a slab allocator with per-CPU array caches and a memory pool with a
 * guaranteed reserve, for any driver on a stock kernel.
 *
 * This is the whole contract; a client includes nothing else of the project.
 * Every function is the twin of the kernel's kmem_cache_* or mempool_* function
 * of the same name: same arguments, same meaning, the kernel's own SLAB_* and
 * gfp_t flags.  What goes beyond the kernel's API has a name of its own and
 * stands at the end of its half.
 */
#ifndef MPSLAB_H
#define MPSLAB_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* ---------------------------------------------------------------- slab -- */

struct mpslab_cache;

/**
 * struct mpslab_cache_args - less common arguments of mpslab_cache_create_args()
 * @align: required alignment of an object in bytes, a power of two; 0 for none
 * @useroffset: start of the region that may be copied to user space, in bytes
 * @usersize: size of that region in bytes; 0 for none.  Checked against the
 *	object's size only: hardened usercopy does not know mpslab's pages
 * @freeptr_offset: accepted for compatibility, unused: mpslab never stores a
 *	pointer in a free object
 * @use_freeptr_offset: as @freeptr_offset
 * @ctor: constructor, run once for every object when its slab is born
 * @sheaf_capacity: wished-for number of objects in each CPU's array; 0 leaves
 *	the choice to the allocator
 *
 * Fields that are not set mean "not used", as in struct kmem_cache_args.
 */
struct mpslab_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *obj);
	unsigned int sheaf_capacity;
};

struct mpslab_cache *mpslab_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *obj));
struct mpslab_cache *
mpslab_cache_create_args(const char *name, unsigned int size,
			 const struct mpslab_cache_args *args,
			 slab_flags_t flags);
void mpslab_cache_destroy(struct mpslab_cache *cache);
int mpslab_cache_shrink(struct mpslab_cache *cache);
unsigned int mpslab_cache_size(struct mpslab_cache *cache);

void *mpslab_cache_alloc(struct mpslab_cache *cache, gfp_t gfp) __malloc;
void *mpslab_cache_alloc_node(struct mpslab_cache *cache, gfp_t gfp,
			      int nid) __malloc;
void mpslab_cache_free(struct mpslab_cache *cache, void *obj);
int mpslab_cache_alloc_bulk(struct mpslab_cache *cache, gfp_t gfp, size_t nr,
			    void **objs);
void mpslab_cache_free_bulk(struct mpslab_cache *cache, size_t nr, void **objs);

/**
 * mpslab_cache_zalloc() - allocate a zeroed object
 * @cache: the cache; it may not have a constructor
 * @gfp: allocation flags
 *
 * Context: as mpslab_cache_alloc().
 * Return: the object, or NULL as mpslab_cache_alloc().
 */
static inline void *mpslab_cache_zalloc(struct mpslab_cache *cache, gfp_t gfp)
{
	return mpslab_cache_alloc(cache, gfp | __GFP_ZERO);
}

struct list_lru;

void *mpslab_cache_alloc_lru(struct mpslab_cache *cache, struct list_lru *lru,
			     gfp_t gfp) __malloc;

/**
 * mpslab_cache_create_usercopy() - create a cache with a region for user space
 * @name: its name in debugfs and in reports; copied
 * @size: size of an object, bytes, 1 to KMALLOC_MAX_SIZE
 * @align: required alignment, bytes, a power of two; 0 for none
 * @flags: SLAB_* flags
 * @useroffset: as in struct mpslab_cache_args
 * @usersize: likewise
 * @ctor: run once for every object when its slab is born; NULL for none
 *
 * Context: task; sleeps.
 * Return: as mpslab_cache_create_args().
 */
static inline struct mpslab_cache *
mpslab_cache_create_usercopy(const char *name, unsigned int size,
			     unsigned int align, slab_flags_t flags,
			     unsigned int useroffset, unsigned int usersize,
			     void (*ctor)(void *obj))
{
	struct mpslab_cache_args args = {
		.align		= align,
		.useroffset	= useroffset,
		.usersize	= usersize,
		.ctor		= ctor,
	};

	return mpslab_cache_create_args(name, size, &args, flags);
}

/* A cache of struct @s, named after it, with the alignment of the struct. */
#define MPSLAB_CACHE(s, flags)						\
	mpslab_cache_create(#s, sizeof(struct s), __alignof__(struct s),	\
			    (flags), NULL)

/* The same, with field @field as the region for user space. */
#define MPSLAB_CACHE_USERCOPY(s, flags, field)				\
	mpslab_cache_create_usercopy(#s, sizeof(struct s),		\
				     __alignof__(struct s), (flags),	\
				     offsetof(struct s, field),		\
				     sizeof_field(struct s, field), NULL)

/*
 * By address, for what may be an object of ours or the kernel's: each does to ours
 * what the kernel's function of the name does to its own, and hands others on.
 */
bool mpslab_owns(const void *p);
void mpslab_kfree(const void *p);
void mpslab_kvfree(const void *p);
void mpslab_kfree_const(const void *p);
void mpslab_kfree_sensitive(const void *p);
void mpslab_kvfree_sensitive(const void *p, size_t len);
void mpslab_kfree_bulk(size_t nr, void **p);
size_t mpslab_ksize(const void *p);
void *mpslab_krealloc(const void *p, size_t size, gfp_t gfp) __must_check;
void mpslab_kvfree_rcu(void *head, const void *p);

/* ---------------------------------------------------------------- pool -- */

typedef void *(mpslab_pool_alloc_t)(gfp_t gfp, void *pool_data);
typedef void (mpslab_pool_free_t)(void *element, void *pool_data);

/* Stands where the kernel's pool has its wait queue; see mpslab_dropin.h. */
struct mpslab_pool_wait {};

struct mpslab_pool_stat;
struct mpslab_pool_dir;
struct fault_set;
struct pool_track;

/**
 * struct mpslab_pool - a pool with a reserve of at least @min_nr elements
 *
 * Public so that it can be embedded; set up by mpslab_pool_init() and its
 * kin, or handed out by mpslab_pool_create() and its kin.  Its memory need not
 * be zeroed first, except for mpslab_pool_initialized() and for
 * mpslab_pool_exit() of a pool that was never set up.
 *
 * @magic: that this is a pool, and whether allocations and frees may go the short
 *	way; where the kernel's pool has its lock, which never looks like that;
 *	written under @lock
 * @min_nr: elements that the reserve should hold; written under @lock
 * @curr_nr: elements in the reserve now; written under @lock
 * @missing: elements that it lacks to be full, which is @min_nr, but at least 1;
 *	below 0 while a shrink takes out the surplus; written under @lock
 * @elements: the reserve, a stack; under @lock
 * @pool_data: second argument of @alloc and @free
 * @alloc: the backend's allocation
 * @free: the backend's free
 * @lock: guards the reserve and the queue; taken in any context but NMI
 * @waiters: who waits for an element, the longest waiting first; under @lock.
 *	While anybody waits, @curr_nr is 0, or the first was woken to take
 * @nr_waiters: length of @waiters; written under @lock
 * @bulk_waiters: those of them who want more than one element; under @lock
 * @low_water: the smallest @curr_nr since the reserve was last made larger or
 *	smaller; under @lock
 * @reserve_allocs: elements handed out from the reserve or by a free to a
 *	waiter; under @lock
 * @bypass_ns: for how long others may overtake the first waiter and take from
 *	the reserve, in nanoseconds; under @lock
 * @passes: so many may overtake the first waiter before somebody looks at the
 *	clock again; under @lock
 * @passes_jiffies: the tick in which they may; under @lock
 * @reported_jiffies: when a long wait was last reported; under @lock
 * @overtakes: allocations that overtook waiters; under @lock
 * @kept: elements that frees brought to the reserve or to a waiter; under @lock
 * @waits: allocations that had to wait; under @lock
 * @long_waits: those that were to be reported, see wait_warn_ms; under @lock
 * @bad_frees: frees that were refused; under @lock
 * @longest_wait_ns: the longest wait, in nanoseconds; under @lock
 * @slow: why allocations and frees go the long way, if they do; written under
 *	@lock
 * @stat: per-CPU counts of elements from the backend and of frees
 * @resize_lock: one resize at a time
 * @dir: the pool's place in debugfs
 * @wait: nothing; who asks for its address has copied the pool
 * @faults: fault plans
 * @track: who holds the reserve's elements, if somebody wants to know; replaced
 *	under @resize_lock, read under RCU
 */
struct mpslab_pool {
	u32 magic;
	int min_nr;
	int curr_nr;
	int missing;
	unsigned int slow;
	struct mpslab_pool_stat __percpu *stat;
	void **elements;
	void *pool_data;
	mpslab_pool_alloc_t *alloc;
	mpslab_pool_free_t *free;

	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	unsigned int nr_waiters;
	unsigned int bulk_waiters;
	int low_water;
	struct list_head waiters;
	u32 bypass_ns;
	u32 passes;
	u32 passes_jiffies;
	u32 reported_jiffies;
	u64 overtakes;
	u64 reserve_allocs;
	u64 kept;
	u64 waits;
	u64 long_waits;
	u64 bad_frees;
	u64 longest_wait_ns;

	struct mutex resize_lock;	/* one resize at a time */
	struct mpslab_pool_dir *dir;
	struct mpslab_pool_wait wait;
	struct fault_set *faults;
	struct pool_track __rcu *track;
};

struct mpslab_pool *mpslab_pool_create(int min_nr, mpslab_pool_alloc_t *alloc,
				       mpslab_pool_free_t *free,
				       void *pool_data);
struct mpslab_pool *mpslab_pool_create_node(int min_nr,
					    mpslab_pool_alloc_t *alloc,
					    mpslab_pool_free_t *free,
					    void *pool_data, gfp_t gfp,
					    int nid);
void mpslab_pool_destroy(struct mpslab_pool *pool);
int mpslab_pool_init(struct mpslab_pool *pool, int min_nr,
		     mpslab_pool_alloc_t *alloc, mpslab_pool_free_t *free,
		     void *pool_data);
int mpslab_pool_init_node(struct mpslab_pool *pool, int min_nr,
			  mpslab_pool_alloc_t *alloc, mpslab_pool_free_t *free,
			  void *pool_data, gfp_t gfp, int nid);
void mpslab_pool_exit(struct mpslab_pool *pool);
int mpslab_pool_resize(struct mpslab_pool *pool, int new_min_nr);

void *mpslab_pool_alloc(struct mpslab_pool *pool, gfp_t gfp) __malloc;
void *mpslab_pool_alloc_noreserve(struct mpslab_pool *pool, gfp_t gfp) __malloc;
void *mpslab_pool_alloc_preallocated(struct mpslab_pool *pool) __malloc;
int mpslab_pool_alloc_bulk(struct mpslab_pool *pool, void **elems,
			   unsigned int count);
void mpslab_pool_free(void *element, struct mpslab_pool *pool);
unsigned int mpslab_pool_free_bulk(struct mpslab_pool *pool, void **elems,
				   unsigned int count);

/**
 * mpslab_pool_initialized() - has the pool been set up?
 * @pool: a pool that was set up or zeroed
 *
 * Context: any.
 * Return: true between mpslab_pool_init() and mpslab_pool_exit().
 */
static inline bool mpslab_pool_initialized(struct mpslab_pool *pool)
{
	return READ_ONCE(pool->elements);
}

/**
 * mpslab_pool_is_saturated() - is the reserve full?
 * @pool: the pool
 *
 * Context: any.  The answer may be out of date when it arrives.
 * Return: true if the reserve holds its full number of elements.
 */
static inline bool mpslab_pool_is_saturated(struct mpslab_pool *pool)
{
	return READ_ONCE(pool->missing) <= 0;
}

/* Backends: @pool_data is an mpslab cache, a size in bytes, a page order. */
void *mpslab_pool_alloc_slab(gfp_t gfp, void *pool_data);
void mpslab_pool_free_slab(void *element, void *pool_data);
void *mpslab_pool_kmalloc(gfp_t gfp, void *pool_data);
void mpslab_pool_kfree(void *element, void *pool_data);
void *mpslab_pool_kvmalloc(gfp_t gfp, void *pool_data);
void mpslab_pool_kvfree(void *element, void *pool_data);
void *mpslab_pool_alloc_pages(gfp_t gfp, void *pool_data);
void mpslab_pool_free_pages(void *element, void *pool_data);

#define mpslab_pool_init_slab_pool(pool, min_nr, cache)			\
	mpslab_pool_init((pool), (min_nr), mpslab_pool_alloc_slab,	\
			 mpslab_pool_free_slab, (void *)(cache))
#define mpslab_pool_create_slab_pool(min_nr, cache)			\
	mpslab_pool_create((min_nr), mpslab_pool_alloc_slab,		\
			   mpslab_pool_free_slab, (void *)(cache))
#define mpslab_pool_init_kmalloc_pool(pool, min_nr, size)		\
	mpslab_pool_init((pool), (min_nr), mpslab_pool_kmalloc,		\
			 mpslab_pool_kfree, (void *)(unsigned long)(size))
#define mpslab_pool_create_kmalloc_pool(min_nr, size)			\
	mpslab_pool_create((min_nr), mpslab_pool_kmalloc,		\
			   mpslab_pool_kfree, (void *)(unsigned long)(size))
#define mpslab_pool_init_kvmalloc_pool(pool, min_nr, size)		\
	mpslab_pool_init((pool), (min_nr), mpslab_pool_kvmalloc,	\
			 mpslab_pool_kvfree, (void *)(unsigned long)(size))
#define mpslab_pool_create_kvmalloc_pool(min_nr, size)			\
	mpslab_pool_create((min_nr), mpslab_pool_kvmalloc,		\
			   mpslab_pool_kvfree, (void *)(unsigned long)(size))
#define mpslab_pool_init_page_pool(pool, min_nr, order)			\
	mpslab_pool_init((pool), (min_nr), mpslab_pool_alloc_pages,	\
			 mpslab_pool_free_pages, (void *)(long)(order))
#define mpslab_pool_create_page_pool(min_nr, order)			\
	mpslab_pool_create((min_nr), mpslab_pool_alloc_pages,		\
			   mpslab_pool_free_pages, (void *)(long)(order))

/*
 * Beyond the kernel's API: the struct was copied; the pool's name in debugfs and in
 * reports; where allocations look for elements.
 */
#define MPSLAB_POOL_RESERVE_FIRST	BIT(0)
#define MPSLAB_POOL_NO_RECLAIM		BIT(1)

void mpslab_pool_moved(struct mpslab_pool *pool);
int mpslab_pool_set_name(struct mpslab_pool *pool, const char *name);
int mpslab_pool_set_policy(struct mpslab_pool *pool, unsigned int policy);

/* Allocations that do not wait for ever; 0, or why there is no element. */
int mpslab_pool_alloc_killable(struct mpslab_pool *pool, gfp_t gfp,
			       void **element);
int mpslab_pool_alloc_timeout(struct mpslab_pool *pool, gfp_t gfp, long timeout,
			      void **element);
int mpslab_pool_alloc_bulk_killable(struct mpslab_pool *pool, void **elems,
				    unsigned int count);
int mpslab_pool_alloc_bulk_timeout(struct mpslab_pool *pool, void **elems,
				   unsigned int count, long timeout);

#endif /* MPSLAB_H */
