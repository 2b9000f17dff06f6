// SPDX-License-Identifier: GPL-2.0
/*
 * Below the CPUs' arrays: slabs, and the nodes that list them.
 *
 * A slab (made in slab_page.c) joins its home node with node_add_slab(), and
 * leaves it, all objects free, with node_detach(), to be given back with no lock
 * held.  In between, cache_node.list_lock guards it.
 * Who calls what, and the states of an object, are in slab_cache.c.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "internal.h"

/* ----------------------------------------------------------- the slab layer -- */

/*
 * What page->private says of somebody else's page can be any number, so it is
 * believed only if it is the address of a descriptor that names this page.  A slab that
 * was found under its node's list_lock stays while that is held; without it, only as
 * long as an object of it is in use.
 */
static __always_inline struct mpslab_slab *find_slab(const void *obj)
{
	struct mpslab_slab *slab;
	struct page *page;

	if (unlikely(!region_known(obj)))
		return NULL;
	/*
	 * What says that a page is no head is lru.next of one that is.  Its list may be
	 * changed under list_lock just now, but never the bit that is looked at.
	 */
	page = data_race(virt_to_head_page(obj));
	slab = slab_listed(page);
	if (unlikely(!IS_ALIGNED((unsigned long)slab, sizeof(void *)) ||
		     !region_known(slab)))
		return NULL;
	/* It may be anything, also what nobody has written to, or what was freed. */
	if (unlikely(READ_ONCE_NOCHECK(slab->page) != page))
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
	struct mpslab_slab *slab = find_slab(obj);

	return likely(slab && slab->cache == cache) ? slab : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(obj_to_slab);

/**
 * any_slab() - the slab, of whatever cache, that an address lies in
 * @obj: the address
 *
 * Return: the slab, or NULL; only as good as the address, whose owner may free it.
 */
struct mpslab_slab *any_slab(const void *obj)
{
	return find_slab(obj);
}

static __always_inline unsigned int slab_distance(const struct mpslab_slab *slab)
{
	if (unlikely(slab_is_debugged(slab)))
		return slab->cache->debug_layout.size;
	return slab->cache->size;
}

/**
 * slab_object() - an object of a slab
 * @slab: the slab
 * @i: its number
 *
 * Return: the object.
 */
void *slab_object(const struct mpslab_slab *slab, unsigned int i)
{
	return slab_base(slab) + (size_t)i * slab_distance(slab);
}
EXPORT_SYMBOL_IF_KUNIT(slab_object);

/**
 * slab_object_around() - the start of the object that some bytes lie in
 * @slab: the slab
 * @addr: the first of the bytes, any address
 * @bytes: how many
 *
 * Context: any.
 * Return: the object, or NULL if there is none that has all of them.
 */
void *slab_object_around(const struct mpslab_slab *slab, const void *addr,
			 size_t bytes)
{
	u32 distance = slab_distance(slab), i;
	size_t offset = addr - slab_base(slab);

	/* Below the base, it is too large for any object that is there. */
	if (offset >= (size_t)slab->objects * distance)
		return NULL;
	/* A block has less than 2^32 bytes. */
	i = (u32)offset / distance;
	if (offset - (size_t)i * distance + bytes > slab->cache->object_size)
		return NULL;
	return slab_object(slab, i);
}

static DEFINE_PER_CPU(struct rnd_state, slab_random);

/**
 * slab_random_init() - seed what shuffles the objects
 */
void slab_random_init(void)
{
	prandom_seed_full_state(&slab_random);
}

/* Below @max; an interrupt in between, or another CPU's state, does no harm. */
static u32 random_below(u32 max)
{
	return reciprocal_scale(prandom_u32_state(raw_cpu_ptr(&slab_random)), max);
}

/*
 * The same in no order that could be foreseen: neighbours in memory are seldom
 * neighbours in time.  Only until all of the slab were taken once: later on, its
 * objects come back in the order of their frees, at no cost.
 */
static noinline unsigned int take_shuffled(struct mpslab_slab *slab, void **to,
					   unsigned int max)
{
	unsigned int i = random_below(slab->objects), got = 0, k;

	max = min_t(unsigned int, max, slab->objects - slab->inuse);
	for (; got < max; i++) {
		i = find_next_bit(slab->free, slab->objects, i);
		if (i >= slab->objects)
			i = find_first_bit(slab->free, slab->objects);
		__clear_bit(i, slab->free);
		to[got++] = slab_object(slab, i);
	}
	for (i = got; i > 1; i--) {
		k = random_below(i);
		swap(to[i - 1], to[k]);
	}
	slab->inuse += got;
	if (slab->inuse == slab->objects)
		WRITE_ONCE(slab->where, slab->where & ~SLAB_YOUNG);
	return got;
}

/**
 * slab_take() - take free objects from a slab, lowest address first if it is old
 * @slab: the slab
 * @to: where they go
 * @max: how many at most
 *
 * Context: the home node's list_lock, or a slab that nobody else knows.
 * Return: how many were taken.
 */
unsigned int slab_take(struct mpslab_slab *slab, void **to, unsigned int max)
{
	unsigned int got = 0, size;
	unsigned long *word = slab->free, free;
	void *base;

	if (unlikely(slab->where & SLAB_YOUNG))
		return take_shuffled(slab, to, max);
	size = slab_distance(slab);
	base = slab_base(slab);
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
static __always_inline unsigned int index_at(size_t offset, u32 inverse)
{
	return ((u64)offset * inverse) >> 32;
}

static __always_inline int find_index(const struct mpslab_cache *cache,
				      const struct mpslab_slab *slab,
				      const void *base, const void *obj)
{
	unsigned int size = cache->size, i;
	u32 inverse = cache->inverse;
	size_t offset = obj - base;

	if (unlikely(slab_is_debugged(slab))) {
		size = cache->debug_layout.size;
		inverse = cache->debug_layout.inverse;
	}
	i = index_at(offset, inverse);
	/* Below the base, the offset is too large for any object that is there. */
	if (likely(i < slab->objects && (size_t)i * size == offset))
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

/**
 * obj_to_index() - which object of a cache an address is of
 * @cache: the cache
 * @obj: the object, or any address
 * @slab: where the slab that it lies in is put, or NULL if it lies in none of @cache
 *
 * Return: the number of the object that starts there, or -1.
 */
int obj_to_index(const struct mpslab_cache *cache, const void *obj,
		 struct mpslab_slab **slab)
{
	*slab = find_slab(obj);
	if (likely(*slab && (*slab)->cache == cache))
		return find_index(cache, *slab, slab_base(*slab), obj);
	*slab = NULL;
	return -1;
}

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

/* By the list that it is on.  Of a stale one there is nothing to have. */
static enum slab_state slab_state(const struct mpslab_slab *slab)
{
	if (!slab->inuse)
		return SLAB_FREE;
	if (slab->inuse == slab->objects || slab->where & SLAB_STALE)
		return SLAB_FULL;
	return SLAB_PARTIAL;
}

/* Of the same kind as new ones?  See cache_debug_set(). */
static bool slab_is_current(const struct mpslab_slab *slab)
{
	return (slab->where & (SLAB_WANTED | SLAB_STALE)) ==
	       FIELD_PREP(SLAB_WANTED, READ_ONCE(slab->cache->debug));
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
	set_page_private(slab->page, (unsigned long)slab | SLAB_GONE);
	if (unlikely(slab_is_debugged(slab)))
		list_del(&slab_debug(slab)->list);
}

/* The slab is not to be taken from any more; when it is empty, it will go. */
static noinline void node_retire(struct cache_node *n, struct mpslab_slab *slab)
{
	node_unlink(n, slab, slab_state(slab));
	WRITE_ONCE(slab->where, slab->where | SLAB_STALE);
	node_link(n, slab);
}

static struct mpslab_slab *node_first_slab(struct cache_node *n)
{
	struct mpslab_slab *slab;
	struct page *page;
	unsigned int i;

	/* Stale slabs that are free are in nobody's way for long. */
	for (i = 0; i < DETACH_BATCH; i++) {
		page = list_first_entry_or_null(&n->partial, struct page, lru);
		if (!page)
			page = list_first_entry_or_null(&n->free, struct page,
							lru);
		if (!page)
			return NULL;
		slab = slab_listed(page);
		if (likely(slab_is_current(slab))) {
			n->touched |= !slab->inuse;
			return slab;
		}
		node_retire(n, slab);
	}
	return NULL;
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
	if (unlikely(slab_is_debugged(slab)))
		list_add_tail(&slab_debug(slab)->list, &n->debugged);
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
	if (!slab->inuse && empty && (n->free_objects > n->free_limit ||
				      !slab_is_current(slab))) {
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
		node_move(n, slab, slab->where & SLAB_STALE ? SLAB_FULL :
			  SLAB_PARTIAL, empty);
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
 * @bad: those; none is the rule
 *
 * Their frees were counted when they were pushed on an array.  An object that
 * was freed twice is free already; one of another cache is still in use there.
 *
 * Context: any.
 */
void refuse_objects(struct mpslab_cache *cache, const struct bad_frees *bad)
{
	enum cache_error error;

	for (error = 0; error < NR_FREE_ERRORS; error++) {
		if (likely(!bad->nr[error]))
			continue;
		atomic_long_add(bad->nr[error], &cache->refused);
		report_bad_free(cache, error, bad->last[error], bad->nr[error]);
	}
}

static noinline void bad_free(struct bad_frees *bad, const void *obj,
			      enum cache_error error)
{
	bad->nr[error]++;
	bad->last[error] = obj;
}

/* @obj does not lie in any slab of the cache. */
static void bad_address(struct bad_frees *bad, const void *obj)
{
	bad_free(bad, obj, any_slab(obj) ? ERROR_OTHER_CACHE : ERROR_NO_OBJECT);
}

/**
 * sift_frees() - take out of an array what was freed by mistake
 * @cache: the cache
 * @objs: the objects, pushed by frees
 * @look: how many of them, from the first on, are looked at
 * @nr: how many there are, less those that are taken out
 * @bad: collects these: no object of the cache, or come home before
 *
 * Of an object that has not come home, this is what can be known; and until it has,
 * its slab stays.  That of an object which was freed twice may go, and its memory may
 * be somebody else's when it is looked at; so it is not looked at again.
 *
 * Context: any but NMI; whoever owns the array.
 * Return: how many of the first passed.
 */
unsigned int sift_frees(const struct mpslab_cache *cache, void **objs,
			unsigned int look, unsigned int *nr,
			struct bad_frees *bad)
{
	struct mpslab_slab *slab = NULL;
	unsigned int i, passed = 0;
	void *base = NULL;
	int index;

	for (i = 0; i < look; i++) {
		/* Often the next object is of the same slab. */
		index = slab ? find_index(cache, slab, base, objs[i]) : -1;
		if (index < 0) {
			index = obj_to_index(cache, objs[i], &slab);
			base = slab ? slab_base(slab) : NULL;
		}
		if (likely(index >= 0 && !slab_free_bit(slab, index))) {
			objs[passed++] = objs[i];
			continue;
		}
		bad_free(bad, objs[i], free_error(slab, index, objs[i]));
		slab = NULL;
	}
	*nr -= look - passed;
	if (unlikely(passed < look))
		memmove(objs + passed, objs + look,
			(*nr - passed) * sizeof(*objs));
	return passed;
}

/**
 * node_put_run() - free the objects at the start of an array to one node
 * @cache: the cache
 * @n: the node
 * @objs: the objects
 * @nr: how many
 * @empty: collects slabs to be released, or NULL to keep all
 * @bad: collects those that are free already or not of the cache
 *
 * Context: @n->list_lock.
 * Return: how many were dealt with; the next is of another node.
 */
unsigned int node_put_run(struct mpslab_cache *cache, struct cache_node *n,
			  void **objs, unsigned int nr,
			  struct list_head *empty, struct bad_frees *bad)
{
	struct mpslab_slab *slab = NULL, *next;
	unsigned int i, inuse = 0;
	void *base = NULL;
	int index;

	for (i = 0; i < nr; i++) {
		/* Often the next object is of the same slab. */
		index = slab ? find_index(cache, slab, base, objs[i]) : -1;
		if (index < 0) {
			next = find_slab(objs[i]);
			if (unlikely(!next || next->cache != cache)) {
				bad_address(bad, objs[i]);
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
			bad_free(bad, objs[i], index < 0 ? ERROR_INSIDE :
				 ERROR_DOUBLE_FREE);
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
	struct bad_frees bad = { };
	struct cache_node *n;
	unsigned long flags;
	unsigned int done;
	int nid;

	for (done = 0; done < nr;) {
		nid = obj_nid(objs[done]);
		n = nid == NUMA_NO_NODE ? NULL : cache->node[nid];
		if (unlikely(!n)) {
			bad_address(&bad, objs[done++]);
			continue;
		}
		raw_spin_lock_irqsave(&n->list_lock, flags);
		done += node_put_run(cache, n, objs + done,
				     min_t(unsigned int, nr - done, PUT_BATCH),
				     empty, &bad);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	refuse_objects(cache, &bad);
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
