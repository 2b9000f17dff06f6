// SPDX-License-Identifier: GPL-2.0
/*
 * Below the CPUs' arrays: page blocks, slabs, and the nodes that list them.
 *
 * A slab is created with no lock held and known to nobody, joins its home node
 * with node_add_slab(), and leaves it, all objects free, with node_detach(), to
 * be given back with no lock held.  In between, cache_node.list_lock guards it.
 * Who calls what, and the states of an object, are in slab_cache.c.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "internal.h"

/* ----------------------------------------------------------- the page layer -- */

/* The flags of a caller that the page allocator may see. */
#define PAGE_GFP_MASK	(~(GFP_ZONEMASK | __GFP_ZERO | __GFP_ACCOUNT | \
			   __GFP_RECLAIMABLE | __GFP_WRITE | __GFP_COMP))

/*
 * A block of more than the least order is a wish, not a need: it is not worth
 * reclaim, the system's reserves, nor a report.
 */
static gfp_t wish_gfp(gfp_t gfp)
{
	return (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_MEMALLOC)) |
	       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

static void count_pages(const struct mpslab_cache *cache, struct page *page,
			long bytes)
{
	mod_node_page_state(page_pgdat(page),
			    cache->flags & SLAB_RECLAIM_ACCOUNT ?
			    NR_SLAB_RECLAIMABLE_B : NR_SLAB_UNRECLAIMABLE_B,
			    bytes);
}

static struct page *alloc_block(struct mpslab_cache *cache, gfp_t gfp, int nid,
				const struct slab_geometry **geo)
{
	struct page *page = NULL;

	gfp = (gfp & PAGE_GFP_MASK) | cache->page_gfp | __GFP_COMP;
	if (cache->best.order > cache->fallback.order) {
		*geo = &cache->best;
		if (!fault(&cache->faults, FAULT_PAGES, gfp))
			page = alloc_pages_node(nid, wish_gfp(gfp),
						cache->best.order);
	}
	if (!page) {
		*geo = &cache->fallback;
		if (!fault(&cache->faults, FAULT_PAGES, gfp))
			page = alloc_pages_node(nid, gfp, cache->fallback.order);
	}
	return page;
}

static unsigned int next_colour(struct cache_node *n,
				const struct slab_geometry *geo)
{
	unsigned long flags;
	unsigned int colour;

	if (geo->colours == 1)
		return 0;
	raw_spin_lock_irqsave(&n->list_lock, flags);
	colour = n->colour_next++ % geo->colours;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return colour;
}

struct slab_regions slab_regions __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(slab_regions);

/**
 * slab_regions_init() - make the map for region_known()
 *
 * Memory that is added to the machine later is not in it.
 *
 * Return: 0 or -ENOMEM.
 */
int slab_regions_init(void)
{
	unsigned long bytes = (unsigned long)high_memory - PAGE_OFFSET;

	slab_regions.nr = DIV_ROUND_UP(bytes, 1UL << REGION_SHIFT);
	slab_regions.known = setup_alloc(kvcalloc(BITS_TO_LONGS(slab_regions.nr),
						  sizeof(long), GFP_KERNEL));
	return slab_regions.known ? 0 : -ENOMEM;
}

/**
 * slab_regions_exit() - free what slab_regions_init() made
 */
void slab_regions_exit(void)
{
	kvfree(slab_regions.known);
}

/*
 * Before anybody has an object of the slab; whoever is handed one and frees it
 * elsewhere sees the bit as he sees the object.  Bits are never cleared: that
 * there was a slab once is enough for a look.
 */
static void regions_note(const void *start, size_t bytes)
{
	unsigned long region = ((unsigned long)start - PAGE_OFFSET) >> REGION_SHIFT;
	unsigned long last = ((unsigned long)start + bytes - 1 - PAGE_OFFSET) >>
			     REGION_SHIFT;

	for (; region <= last; region++)
		if (region < slab_regions.nr &&
		    !test_bit(region, slab_regions.known))
			set_bit(region, slab_regions.known);
}

static struct mpslab_slab *place_descriptor(struct mpslab_cache *cache,
					    struct page *page, gfp_t gfp,
					    const struct slab_geometry *geo)
{
	size_t bytes = geometry_descriptor_bytes(geo->objects);

	if (geo->off_slab) {
		if (fault(&cache->faults, FAULT_DESCRIPTORS, gfp))
			return NULL;
		return kmalloc_node(bytes, gfp & PAGE_GFP_MASK, page_to_nid(page));
	}
	return page_address(page) + (PAGE_SIZE << geo->order) - bytes;
}

static void construct_objects(const struct mpslab_cache *cache,
			      struct mpslab_slab *slab)
{
	unsigned int i;

	if (!cache->ctor)
		return;
	for (i = 0; i < slab->objects; i++)
		cache->ctor(slab_base(slab) + (size_t)i * cache->size);
}

/**
 * slab_create() - a new slab, all of its objects free and constructed
 * @cache: the cache
 * @gfp: the caller's flags
 * @nid: node to take the pages from; others serve too without __GFP_THISNODE
 *
 * Context: no lock held; sleeps if @gfp allows it.
 * Return: a slab that only the caller knows, or NULL without memory.
 */
struct mpslab_slab *slab_create(struct mpslab_cache *cache, gfp_t gfp, int nid)
{
	const struct slab_geometry *geo;
	struct mpslab_slab *slab;
	struct page *page;

	page = alloc_block(cache, gfp, nid, &geo);
	if (!page)
		return NULL;
	slab = place_descriptor(cache, page, gfp, geo);
	if (!slab) {
		__free_pages(page, geo->order);
		return NULL;
	}

	slab->cache = cache;
	slab->page = page;
	slab->offset = cache->colour_off *
		       next_colour(cache->node[page_to_nid(page)], geo);
	slab->objects = geo->objects;
	slab->inuse = 0;
	bitmap_zero(slab->free, round_up(geo->objects, BITS_PER_LONG));
	bitmap_set(slab->free, 0, geo->objects);
	set_page_private(page, (unsigned long)slab);
	regions_note(page_address(page), PAGE_SIZE << geo->order);
	if (geo->off_slab)
		regions_note(slab, geometry_descriptor_bytes(geo->objects));
	count_pages(cache, page, PAGE_SIZE << geo->order);
	/* Pointers in objects count for kmemleak; objects are not its own. */
	if (!(cache->flags & SLAB_NOLEAKTRACE))
		kmemleak_alloc(page_address(page), PAGE_SIZE << geo->order, 0,
			       gfp & PAGE_GFP_MASK);
	construct_objects(cache, slab);
	return slab;
}
EXPORT_SYMBOL_IF_KUNIT(slab_create);

static void slab_destroy(struct mpslab_slab *slab)
{
	unsigned int order = slab_order(slab);
	bool apart = slab_is_apart(slab);
	struct page *page = slab->page;

	if (!(slab->cache->flags & SLAB_NOLEAKTRACE))
		kmemleak_free(page_address(page));
	count_pages(slab->cache, page, -(long)(PAGE_SIZE << order));
	set_page_private(page, 0);
	compat_account_reclaimed_pages(1 << order);
	__free_pages(page, order);
	if (apart)
		kfree(slab);
}

/* The cache outlives this: mpslab_cache_destroy() waits for it. */
static void slab_destroy_rcu(struct rcu_head *rcu)
{
	slab_destroy(slab_listed(container_of(rcu, struct page, rcu_head)));
}

/**
 * slab_list_release() - give slabs back to the page allocator
 * @cache: the cache
 * @slabs: slabs that left their node, free objects only
 *
 * Slabs of a SLAB_TYPESAFE_BY_RCU cache go after a grace period.
 *
 * Context: no lock held; on PREEMPT_RT, may_release_slabs().
 */
void slab_list_release(struct mpslab_cache *cache, struct list_head *slabs)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, slabs, lru) {
		list_del(&page->lru);
		if (cache->flags & SLAB_TYPESAFE_BY_RCU)
			call_rcu(&page->rcu_head, slab_destroy_rcu);
		else
			slab_destroy(slab_listed(page));
	}
}
EXPORT_SYMBOL_IF_KUNIT(slab_list_release);

/* ----------------------------------------------------------- the slab layer -- */

/*
 * What page->private says of somebody else's page can be any number, so it is
 * believed only if it is the address of a descriptor that names this page and
 * this cache.
 */
static __always_inline struct mpslab_slab *
find_slab(const struct mpslab_cache *cache, const void *obj)
{
	struct mpslab_slab *slab;
	struct page *page;

	if (unlikely(!region_known(obj)))
		return NULL;
	page = virt_to_head_page(obj);
	slab = slab_listed(page);
	if (unlikely(!IS_ALIGNED((unsigned long)slab, sizeof(void *)) ||
		     !region_known(slab)))
		return NULL;
	if (unlikely(slab->cache != cache || slab->page != page))
		return NULL;
	return slab;
}

/**
 * obj_to_slab() - the slab that an object lies in
 * @cache: the cache that it should be of
 * @obj: the object, or any address
 *
 * Return: the slab, or NULL if @obj does not lie in a slab of @cache.
 */
struct mpslab_slab *obj_to_slab(const struct mpslab_cache *cache,
				const void *obj)
{
	return find_slab(cache, obj);
}
EXPORT_SYMBOL_IF_KUNIT(obj_to_slab);

/**
 * slab_take() - take free objects from a slab, lowest address first
 * @slab: the slab
 * @to: where they go
 * @max: how many at most
 *
 * Context: the home node's list_lock, or a slab that nobody else knows.
 * Return: how many were taken.
 */
unsigned int slab_take(struct mpslab_slab *slab, void **to, unsigned int max)
{
	unsigned int got = 0, size = slab->cache->size;
	unsigned long *word = slab->free, free;
	void *base = slab_base(slab);

	max = min_t(unsigned int, max, slab->objects - slab->inuse);
	for (; got < max; word++, base += (size_t)size * BITS_PER_LONG) {
		for (free = *word; free && got < max; free &= free - 1)
			to[got++] = base + (size_t)__ffs(free) * size;
		*word = free;
	}
	slab->inuse += got;
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(slab_take);

/*
 * The number of the object at @offset, exact for the start of an object, as a
 * block has less than 2^32 bytes; any for another offset.
 */
static __always_inline unsigned int index_at(const struct mpslab_cache *cache,
					     size_t offset)
{
	return ((u64)offset * cache->inverse) >> 32;
}

static __always_inline int find_index(const struct mpslab_cache *cache,
				      const struct mpslab_slab *slab,
				      const void *base, const void *obj)
{
	size_t offset = obj - base;
	unsigned int i = index_at(cache, offset);

	/* Below the base, the offset is too large for any object that is there. */
	if (likely(i < slab->objects && (size_t)i * cache->size == offset))
		return i;
	return -1;
}

/**
 * slab_index() - which object of a slab an address is of
 * @slab: the slab
 * @obj: the address
 *
 * Return: the number of the object that starts there, or -1.
 */
int slab_index(const struct mpslab_slab *slab, const void *obj)
{
	return find_index(slab->cache, slab, slab_base(slab), obj);
}
EXPORT_SYMBOL_IF_KUNIT(slab_index);

static __always_inline bool set_free(struct mpslab_slab *slab, int i)
{
	unsigned long *word, bit;

	if (unlikely(i < 0))
		return false;
	word = slab->free + BIT_WORD(i);
	bit = BIT_MASK(i);
	if (unlikely(*word & bit))
		return false;
	*word |= bit;
	slab->inuse--;
	return true;
}

/**
 * slab_put() - free an object to its slab
 * @slab: the slab that @obj lies in
 * @obj: the object
 *
 * Context: the home node's list_lock.
 * Return: false, and nothing done, if @obj is not the address of an object or
 * is free already.
 */
bool slab_put(struct mpslab_slab *slab, void *obj)
{
	return set_free(slab, slab_index(slab, obj));
}
EXPORT_SYMBOL_IF_KUNIT(slab_put);

/* ----------------------------------------------------------- the node layer -- */

enum slab_state { SLAB_FREE, SLAB_PARTIAL, SLAB_FULL };

static enum slab_state slab_state(const struct mpslab_slab *slab)
{
	if (!slab->inuse)
		return SLAB_FREE;
	return slab->inuse == slab->objects ? SLAB_FULL : SLAB_PARTIAL;
}

static unsigned long *node_count(struct cache_node *n, enum slab_state state)
{
	switch (state) {
	case SLAB_FREE:
		return &n->nr_free;
	case SLAB_PARTIAL:
		return &n->nr_partial;
	default:
		return &n->nr_full;
	}
}

static struct list_head *node_list(struct cache_node *n, enum slab_state state)
{
	switch (state) {
	case SLAB_FREE:
		return &n->free;
	case SLAB_PARTIAL:
		return &n->partial;
	default:
		return &n->full;
	}
}

/*
 * A slab that had an object freed goes to the tail, to give its others time to
 * follow; one that was taken from stays at the head (node_take()), to be used up.
 */
static void node_link(struct cache_node *n, struct mpslab_slab *slab)
{
	enum slab_state state = slab_state(slab);

	lockdep_assert_held(&n->list_lock);
	list_add_tail(&slab->page->lru, node_list(n, state));
	(*node_count(n, state))++;
}

static void node_unlink(struct cache_node *n, struct mpslab_slab *slab,
			enum slab_state state)
{
	lockdep_assert_held(&n->list_lock);
	list_del(&slab->page->lru);
	(*node_count(n, state))--;
}

/* Take the slab from the node for good; its objects are all free. */
static void node_detach(struct cache_node *n, struct mpslab_slab *slab)
{
	node_unlink(n, slab, SLAB_FREE);
	n->pages -= 1UL << slab_order(slab);
	n->objects -= slab->objects;
	n->free_objects -= slab->objects;
	n->reaped++;
}

static struct mpslab_slab *node_first_slab(struct cache_node *n)
{
	struct page *page;

	page = list_first_entry_or_null(&n->partial, struct page, lru);
	if (page)
		return slab_listed(page);
	page = list_first_entry_or_null(&n->free, struct page, lru);
	if (!page)
		return NULL;
	n->touched = true;
	return slab_listed(page);
}

/**
 * node_add_slab() - list a new slab on its home node
 * @n: the node
 * @slab: the slab, some objects perhaps taken already
 *
 * Context: @n->list_lock.
 */
void node_add_slab(struct cache_node *n, struct mpslab_slab *slab)
{
	n->pages += 1UL << slab_order(slab);
	n->objects += slab->objects;
	n->free_objects += slab->objects - slab->inuse;
	n->grown++;
	node_link(n, slab);
}
EXPORT_SYMBOL_IF_KUNIT(node_add_slab);

/**
 * node_take() - take objects from a node
 * @n: the node
 * @to: where they go
 * @want: how many at most
 *
 * From the shared array, else from partial slabs, else from free ones.  The
 * caller counts them as allocated.
 *
 * Context: @n->list_lock.
 * Return: how many were taken.
 */
unsigned int node_take(struct cache_node *n, void **to, unsigned int want)
{
	unsigned int got = 0, nr;
	struct mpslab_slab *slab;
	enum slab_state was;

	lockdep_assert_held(&n->list_lock);
	if (n->shared)
		got = ac_pop_many(n->shared, to, want);
	if (got) {
		n->shared_touched = true;
		return got;
	}

	while (got < want && (slab = node_first_slab(n))) {
		was = slab_state(slab);
		nr = slab_take(slab, to + got, want - got);
		n->free_objects -= nr;
		got += nr;
		/* A partial slab that still is one was the first and stays it. */
		if (slab_state(slab) != was) {
			node_unlink(n, slab, was);
			node_link(n, slab);
		}
	}
	return got;
}

static noinline void node_move(struct cache_node *n, struct mpslab_slab *slab,
			       enum slab_state was, struct list_head *empty)
{
	node_unlink(n, slab, was);
	node_link(n, slab);
	if (!slab->inuse && empty && n->free_objects > n->free_limit) {
		node_detach(n, slab);
		list_add(&slab->page->lru, empty);
	}
}

/* Objects were freed to @slab, which had @inuse before: once for several. */
static __always_inline void node_settle(struct cache_node *n,
					struct mpslab_slab *slab,
					unsigned int inuse,
					struct list_head *empty)
{
	lockdep_assert_held(&n->list_lock);
	if (unlikely(slab->inuse == inuse))	/* they were refused */
		return;
	n->free_objects += inuse - slab->inuse;
	if (inuse == slab->objects)
		node_move(n, slab, SLAB_FULL, empty);
	else if (!slab->inuse)
		node_move(n, slab, SLAB_PARTIAL, empty);
}

/**
 * node_put() - free an object to its slab
 * @n: the slab's home node
 * @slab: the slab
 * @obj: the object
 * @empty: collects slabs to be released, or NULL to keep all
 *
 * A slab that is now free stays as long as the node is not above its limit.
 *
 * Context: @n->list_lock.
 * Return: as slab_put().
 */
bool node_put(struct cache_node *n, struct mpslab_slab *slab, void *obj,
	      struct list_head *empty)
{
	unsigned int inuse = slab->inuse;

	if (unlikely(!slab_put(slab, obj)))
		return false;
	node_settle(n, slab, inuse, empty);
	return true;
}

/**
 * refuse_objects() - account for objects that cannot go home
 * @cache: the cache
 * @nr: how many; 0 is the rule
 *
 * Their frees were counted when they were pushed on an array.  An object that
 * was freed twice is free already; one of another cache is still in use there.
 *
 * Context: any.
 */
void refuse_objects(struct mpslab_cache *cache, unsigned int nr)
{
	if (likely(!nr))
		return;
	atomic_long_add(nr, &cache->refused);
	cache_bug(cache, "not freed", "%u object(s) freed twice or not of this cache", nr);
}

/**
 * node_put_run() - free the objects at the start of an array to one node
 * @cache: the cache
 * @n: the node
 * @objs: the objects
 * @nr: how many
 * @empty: collects slabs to be released, or NULL to keep all
 * @bad: incremented for each that is free already or not of the cache
 *
 * Context: @n->list_lock.
 * Return: how many were dealt with; the next is of another node.
 */
unsigned int node_put_run(struct mpslab_cache *cache, struct cache_node *n,
			  void **objs, unsigned int nr,
			  struct list_head *empty, unsigned int *bad)
{
	struct mpslab_slab *slab = NULL, *next;
	unsigned int i, inuse = 0;
	void *base = NULL;
	int index;

	for (i = 0; i < nr; i++) {
		/* Often the next object is of the same slab. */
		index = slab ? find_index(cache, slab, base, objs[i]) : -1;
		if (index < 0) {
			next = find_slab(cache, objs[i]);
			if (unlikely(!next)) {
				(*bad)++;
				continue;
			}
			if (unlikely(cache->node[slab_nid(next)] != n))
				break;
			if (slab)
				node_settle(n, slab, inuse, empty);
			slab = next;
			inuse = slab->inuse;
			base = slab_base(slab);
			index = find_index(cache, slab, base, objs[i]);
		}
		if (unlikely(!set_free(slab, index)))
			(*bad)++;
	}
	if (slab)
		node_settle(n, slab, inuse, empty);
	return i;
}

/**
 * put_objects() - free objects to their slabs, each on its home node
 * @cache: the cache
 * @objs: the objects
 * @nr: how many
 * @empty: collects slabs to be released, or NULL to keep all
 *
 * Context: any but NMI, preemption off; takes list_locks one after another.
 */
void put_objects(struct mpslab_cache *cache, void **objs, unsigned int nr,
		 struct list_head *empty)
{
	unsigned int done, bad = 0;
	struct cache_node *n;
	unsigned long flags;
	int nid;

	for (done = 0; done < nr;) {
		nid = obj_nid(objs[done]);
		n = nid == NUMA_NO_NODE ? NULL : cache->node[nid];
		if (unlikely(!n)) {
			bad++;
			done++;
			continue;
		}
		raw_spin_lock_irqsave(&n->list_lock, flags);
		done += node_put_run(cache, n, objs + done,
				     min_t(unsigned int, nr - done, PUT_BATCH),
				     empty, &bad);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	refuse_objects(cache, bad);
}
EXPORT_SYMBOL_IF_KUNIT(put_objects);

/* Detach up to @max free slabs, a bounded number under one hold of the lock. */
static unsigned int node_detach_free(struct cache_node *n, unsigned long max,
				     struct list_head *empty)
{
	struct mpslab_slab *slab;
	unsigned int nr = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	while (nr < min_t(unsigned long, max, DETACH_BATCH) && n->nr_free) {
		slab = slab_listed(list_first_entry(&n->free, struct page, lru));
		node_detach(n, slab);
		list_add(&slab->page->lru, empty);
		nr++;
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return nr;
}

/**
 * node_reap_free() - give free slabs back to the page allocator
 * @cache: the cache
 * @n: the node
 * @max_slabs: how many at most
 *
 * Context: task; no lock held.
 * Return: how many slabs went.
 */
unsigned long node_reap_free(struct mpslab_cache *cache, struct cache_node *n,
			     unsigned long max_slabs)
{
	unsigned long done = 0;
	unsigned int nr;

	do {
		LIST_HEAD(empty);

		nr = node_detach_free(n, max_slabs - done, &empty);
		slab_list_release(cache, &empty);
		done += nr;
		cond_resched();
	} while (nr && done < max_slabs);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(node_reap_free);

/* The oldest of the shared array, with the lock held; see node_drain_shared(). */
static unsigned int shared_pop_oldest(struct cache_node *n, void **to,
				      unsigned int max)
{
	unsigned long flags;
	unsigned int nr = 0;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (n->shared) {
		nr = min(n->shared->avail, max);
		memcpy(to, n->shared->entry, nr * sizeof(void *));
		ac_drop_oldest(n->shared, nr);
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return nr;
}

/**
 * node_drain_shared() - free the oldest objects of the shared array
 * @cache: the cache
 * @n: the node
 * @max: how many at most
 *
 * Context: task; mpslab_mutex, lest somebody else finds the array empty while its
 * objects are on their way.
 * Return: how many were freed.
 */
unsigned long node_drain_shared(struct mpslab_cache *cache,
				struct cache_node *n, unsigned long max)
{
	void *objs[DETACH_BATCH];
	unsigned long done = 0;
	unsigned int nr;

	do {
		LIST_HEAD(empty);

		/* Off: the objects are in nobody's count while they move. */
		preempt_disable();
		nr = shared_pop_oldest(n, objs,
				       min_t(unsigned long, max - done,
					     ARRAY_SIZE(objs)));
		put_objects(cache, objs, nr, &empty);
		preempt_enable();
		slab_list_release(cache, &empty);
		done += nr;
		cond_resched();
	} while (nr && done < max);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(node_drain_shared);
