// SPDX-License-Identifier: GPL-2.0
/*
 * The memory pool: a backend, and a reserve for when the backend has nothing.
 *
 * An element is with the backend, in the reserve (under pool->lock), with a
 * waiter on its way to becoming in use (under pool->lock), or in use.
 *
 * What the pool promises: as long as elements that came from it are freed, an
 * allocation that may sleep comes back with an element.  A free refills the
 * reserve before anything goes to the backend, and serves a waiter before the
 * reserve; how waiters are served is told in mempool_wait.c.
 *
 * The first form of this is Ingo Molnar's mm/mempool.c (2001).
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "mempool_internal.h"
#include "fast_path.h"

#define FREE_BATCH	16U		/* elements freed under one hold of the lock */

/* ----------------------------------------------------------- under pool->lock -- */

static void add_element(struct mpslab_pool *pool, void *element)
{
	lockdep_assert_held(&pool->lock);
	pool->elements[pool->curr_nr] = element;
	WRITE_ONCE(pool->curr_nr, pool->curr_nr + 1);
	WRITE_ONCE(pool->missing, pool->missing - 1);
}

static __always_inline void *remove_element(struct mpslab_pool *pool)
{
	void *element;

	lockdep_assert_held(&pool->lock);
	WRITE_ONCE(pool->curr_nr, pool->curr_nr - 1);
	WRITE_ONCE(pool->missing, pool->missing + 1);
	pool->low_water = min(pool->low_water, pool->curr_nr);
	element = pool->elements[pool->curr_nr];
	/* Who lost it, and not we, has the last reference to it. */
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		pool->elements[pool->curr_nr] = NULL;
	return element;
}

/**
 * pool_remove_element() - take the newest element of the reserve
 * @pool: the pool, its lock held, with at least one element
 *
 * Return: the element.
 */
void *pool_remove_element(struct mpslab_pool *pool)
{
	return remove_element(pool);
}

/**
 * pool_take_reserve() - take elements of the reserve
 * @pool: the pool, its lock held
 * @elems: filled with them
 * @count: how many at most
 *
 * Return: how many.
 */
unsigned int pool_take_reserve(struct mpslab_pool *pool, void **elems,
			       unsigned int count)
{
	unsigned int got = 0;

	while (got < count && pool->curr_nr)
		elems[got++] = remove_element(pool);
	pool->reserve_allocs += got;
	return got;
}

/* The same as keep_element() while somebody waits. */
static noinline bool keep_contended(struct mpslab_pool *pool, void *element)
{
	bool room = pool->missing > 0;

	if (pool_hand_over(pool, element, room))
		return true;
	if (!room)
		return false;
	add_element(pool, element);
	pool_wake_first(pool);
	return true;
}

/* A returned element goes to a waiter, else to the reserve, else nowhere. */
static __always_inline bool keep_element(struct mpslab_pool *pool, void *element)
{
	if (unlikely(pool->nr_waiters))
		return keep_contended(pool, element);
	if (pool->missing <= 0)
		return false;
	add_element(pool, element);
	return true;
}

/**
 * pool_keep_element() - bring back an element as far as it is needed
 * @pool: the pool, its lock held
 * @element: the element, which goes to a waiter, else to the reserve
 *
 * Return: false if neither wants it.
 */
bool pool_keep_element(struct mpslab_pool *pool, void *element)
{
	return keep_element(pool, element);
}

/*
 * Was it freed just before, too?  Whoever has an element may be sure that it is not
 * in the reserve.  Of that only the end is at hand here, but it is where a second
 * free in a row finds the first; pool_track_free() looks at all of it.
 */
static __always_inline bool is_newest(struct mpslab_pool *pool, void *element)
{
	lockdep_assert_held(&pool->lock);
	return pool->curr_nr && pool->elements[pool->curr_nr - 1] == element;
}

/* ----------------------------------------------------------------------- alloc -- */

/* The backend should neither dip into the system's reserves nor try hard. */
static gfp_t backend_gfp(gfp_t gfp)
{
	return gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/* Before the reserve is touched, the backend is asked for what it has at hand. */
static gfp_t backend_gfp_light(gfp_t gfp)
{
	return backend_gfp(gfp) & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
}

/**
 * pool_take_backend() - ask the backend for elements
 * @pool: the pool
 * @gfp: flags for the backend
 * @elems: filled with them
 * @count: how many
 *
 * Context: as the backend's allocation.
 * Return: how many there were.
 */
unsigned int pool_take_backend(struct mpslab_pool *pool, gfp_t gfp,
			       void **elems, unsigned int count)
{
	unsigned int got;

	for (got = 0; got < count; got++) {
		elems[got] = pool->alloc(gfp, pool->pool_data);
		if (!elems[got])
			break;
	}
	if (got)
		this_cpu_add(pool->stat->backend_allocs, got);
	return got;
}

/*
 * May @count elements be taken from the reserve?  Not, even if they are there, if
 * somebody waits who may not be overtaken.
 */
static bool reserve_has(struct mpslab_pool *pool, unsigned int count)
{
	return pool->curr_nr >= count &&
	       (likely(!pool->nr_waiters) || pool_admit(pool, count));
}

/**
 * pool_take_reserve_all() - take all that is wanted from the reserve, or nothing
 * @pool: the pool
 * @elems: filled with the elements
 * @count: how many
 *
 * The write barrier, and that in take_reserve_one(), is paired with the read
 * barrier in reserve_is_full(): whoever gets to see the element, by whatever way
 * it is passed on, also sees that curr_nr went down, and so brings the element
 * back here.
 *
 * Context: any but NMI.
 * Return: @count, or 0 if there are not so many or they are for those who wait.
 */
unsigned int pool_take_reserve_all(struct mpslab_pool *pool, void **elems,
				   unsigned int count)
{
	unsigned int got = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (reserve_has(pool, count))
		got = pool_take_reserve(pool, elems, count);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* pairs with smp_rmb() in reserve_is_full(); models/litmus/pool-free-sees-take */
	smp_wmb();
	return got;
}

/*
 * The same for one element, or NULL.  One is what most callers want, and without
 * array and loop a pair takes 200 instructions instead of 330.
 */
static void *take_reserve_one(struct mpslab_pool *pool)
{
	void *element = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (reserve_has(pool, 1)) {
		element = remove_element(pool);
		pool->reserve_allocs++;
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* pairs with smp_rmb() in reserve_is_full(); models/litmus/pool-free-sees-take */
	smp_wmb();
	return element;
}

/*
 * The backend, then the reserve; returns how many of @count.  The caller may do
 * what @allowed says, the backend what @gfp says.
 */
static unsigned int take_at_once(struct mpslab_pool *pool, gfp_t gfp,
				 gfp_t allowed, void **elems, unsigned int count)
{
	unsigned int got;

	if (pool_is_slow(pool))
		return pool_take_slow(pool, gfp, allowed, elems, count);
	got = pool_take_backend(pool, gfp, elems, count);
	if (unlikely(got < count))
		got += pool_take_reserve_all(pool, elems + got, count - got);
	return got;
}

/* The same for one element, or NULL. */
static __always_inline void *take_one_at_once(struct mpslab_pool *pool,
					      gfp_t gfp)
{
	void *element = pool->alloc(gfp, pool->pool_data);

	if (unlikely(!element))
		return take_reserve_one(pool);
	this_cpu_inc(pool->stat->backend_allocs);
	return element;
}

/* May the backend do more for @gfp than it was asked for at first? */
static bool may_try_harder(struct mpslab_pool *pool, gfp_t gfp)
{
	return backend_gfp(gfp) != backend_gfp_light(gfp) &&
	       !(READ_ONCE(pool->slow) & POOL_SLOW_NO_RECLAIM);
}

static const struct pool_bound unbounded = {
	.state = TASK_UNINTERRUPTIBLE,
	.timeout = MAX_SCHEDULE_TIMEOUT,
};

static const struct pool_bound until_killed = {
	.state = TASK_KILLABLE,
	.timeout = MAX_SCHEDULE_TIMEOUT,
};

/* Nothing is at hand; -ENOMEM if the caller can't wait. */
static noinline int pool_alloc_hard(struct mpslab_pool *pool, gfp_t gfp,
				    const struct pool_bound *bound,
				    void **element)
{
	*element = NULL;
	if (may_try_harder(pool, gfp))
		*element = pool_is_slow(pool) ?
			   pool_take_one_slow(pool, backend_gfp(gfp), gfp) :
			   take_one_at_once(pool, backend_gfp(gfp));
	if (*element)
		return 0;
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return -ENOMEM;
	return pool_wait(pool, backend_gfp_light(gfp), element, 0, 1, bound);
}

/* The same for whoever waits as long as it takes. */
static noinline void *pool_alloc_patient(struct mpslab_pool *pool, gfp_t gfp)
{
	void *element;

	pool_alloc_hard(pool, gfp, &unbounded, &element);
	return element;
}

static noinline void *pool_alloc_slow(struct mpslab_pool *pool, gfp_t gfp)
{
	void *element;

	if (pool_refused(pool, "allocation"))
		return NULL;
	might_alloc(gfp);
	element = pool_is_slow(pool) ?
		  pool_take_one_slow(pool, backend_gfp_light(gfp), gfp) :
		  take_one_at_once(pool, backend_gfp_light(gfp));
	if (likely(element))
		return element;
	return pool_alloc_patient(pool, gfp);
}

/* The cache has something to do to the object, and may not let it go. */
static noinline void *pool_pop_work(struct mpslab_pool *pool, gfp_t gfp,
				    void *element)
{
	struct mpslab_cache *cache = pool->pool_data;	/* always */

	element = alloc_work(cache, backend_gfp_light(gfp) | cache_work_gfp(cache),
			     element);
	if (likely(element))
		return element;
	local_dec(&get_cpu_ptr(pool->stat)->pops);
	put_cpu_ptr(pool->stat);
	return pool_alloc_slow(pool, gfp);
}

static noinline void *pool_alloc_refused(struct mpslab_pool *pool)
{
	usage_bug(pool ? debugfs_pool_name(pool) : "pool",
		  "allocation refused: %s", pool ? "__GFP_ZERO" : "a NULL pool");
	return NULL;
}

/**
 * mpslab_pool_alloc() - allocate an element
 * @pool: the pool
 * @gfp: allocation flags; not %__GFP_ZERO, which the reserve cannot honour
 *
 * The backend is asked without reclaim, then the reserve, then the backend with
 * all that @gfp allows, then the caller waits for a free, after all who wait
 * already.  Who comes while others wait may overtake them for a short time only.
 *
 * Context: any but NMI.  Sleeps if @gfp has %__GFP_DIRECT_RECLAIM.
 * Return: an element; NULL only if @gfp has no %__GFP_DIRECT_RECLAIM, and for a
 * caller's mistake (a NULL pool, %__GFP_ZERO), which is reported.
 */
void *mpslab_pool_alloc(struct mpslab_pool *pool, gfp_t gfp)
{
	struct mpslab_cache *cache;
	void *element;

	if (unlikely(!pool || (gfp & __GFP_ZERO)))
		return pool_alloc_refused(pool);
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))
		might_alloc(gfp);
	/*
	 * A pool over an mpslab cache takes from this CPU's array by itself: as
	 * the backend would, less two calls and the checks in them.
	 */
	if (unlikely(!pool_goes_short_way(pool) || fault_attr_on(FAULT_BACKEND)))
		return pool_alloc_slow(pool, gfp);
	cache = pool->pool_data;
	if (unlikely(!cpu_cache_pop(cache, &element, pool)))
		return pool_alloc_slow(pool, gfp);
	if (unlikely(cache_work_gfp(cache)))
		return pool_pop_work(pool, gfp, element);
	return element;
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc);

/* As mpslab_pool_alloc(), but for how long it waits. */
static int pool_alloc_bounded(struct mpslab_pool *pool, gfp_t gfp,
			      const struct pool_bound *bound, void **element)
{
	if (unlikely(!element || bound->timeout < 0)) {
		usage_bug(pool ? debugfs_pool_name(pool) : "pool",
			  "allocation refused: no place for it, or a negative time");
		return -EINVAL;
	}
	*element = NULL;
	if (unlikely(!pool || (gfp & __GFP_ZERO))) {
		pool_alloc_refused(pool);
		return -EINVAL;
	}
	if (pool_refused(pool, "allocation"))
		return -EINVAL;
	might_alloc(gfp);
	*element = pool_is_slow(pool) ?
		   pool_take_one_slow(pool, backend_gfp_light(gfp), gfp) :
		   take_one_at_once(pool, backend_gfp_light(gfp));
	if (*element)
		return 0;
	return pool_alloc_hard(pool, gfp, bound, element);
}

/**
 * mpslab_pool_alloc_killable() - allocate an element, unless killed meanwhile
 * @pool: the pool
 * @gfp: allocation flags, as for mpslab_pool_alloc()
 * @element: the element, or NULL
 *
 * As mpslab_pool_alloc(), but a fatal signal ends the wait for a free.  It does
 * not end what the backend does; of that, only @gfp decides.  Whoever is served
 * and killed at once is served.
 *
 * Context: any but NMI.  Sleeps if @gfp has %__GFP_DIRECT_RECLAIM.
 * Return: 0; -EINTR; -ENOMEM if nothing was at hand and @gfp has no
 * %__GFP_DIRECT_RECLAIM; -EINVAL, with a report, for a caller's mistake.
 */
int mpslab_pool_alloc_killable(struct mpslab_pool *pool, gfp_t gfp,
			       void **element)
{
	return pool_alloc_bounded(pool, gfp, &until_killed, element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_killable);

/**
 * mpslab_pool_alloc_timeout() - allocate an element, but do not wait for ever
 * @pool: the pool
 * @gfp: allocation flags, as for mpslab_pool_alloc()
 * @timeout: how long to wait for a free at most, in jiffies, 0 or more
 * @element: the element, or NULL
 *
 * As mpslab_pool_alloc(), but the wait ends after @timeout; before that the
 * backend is asked once more.  The time that the backend takes does not count.
 *
 * Context: any but NMI.  Sleeps if @gfp has %__GFP_DIRECT_RECLAIM.
 * Return: as mpslab_pool_alloc_killable(), with -ETIMEDOUT for -EINTR.
 */
int mpslab_pool_alloc_timeout(struct mpslab_pool *pool, gfp_t gfp, long timeout,
			      void **element)
{
	const struct pool_bound bound = {
		.state = TASK_UNINTERRUPTIBLE,
		.timeout = timeout,
	};

	return pool_alloc_bounded(pool, gfp, &bound, element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_timeout);

static int pool_alloc_bulk(struct mpslab_pool *pool, void **elems,
			   unsigned int count, const struct pool_bound *bound)
{
	unsigned int got;
	int size;

	if (unlikely(!pool || (count && !elems) || bound->timeout < 0)) {
		usage_bug("pool", "bulk allocation from no pool, to no array or in no time");
		return -EINVAL;
	}
	if (pool_refused(pool, "bulk allocation"))
		return -EINVAL;
	if (!count)
		return 0;
	might_alloc(GFP_KERNEL);
	size = reserve_size(READ_ONCE(pool->min_nr));
	if (unlikely(count > size))
		usage_bug(debugfs_pool_name(pool),
			  "bulk allocation of %u, more than the reserve of %d",
			  count, size);
	got = take_at_once(pool, backend_gfp_light(GFP_KERNEL), GFP_KERNEL, elems,
			   count);
	if (got < count && may_try_harder(pool, GFP_KERNEL))
		got += take_at_once(pool, backend_gfp(GFP_KERNEL), GFP_KERNEL,
				    elems + got, count - got);
	if (got == count)
		return 0;
	return pool_wait(pool, backend_gfp_light(GFP_KERNEL), elems, got, count,
			 bound);
}

/**
 * mpslab_pool_alloc_bulk() - allocate many elements
 * @pool: the pool
 * @elems: filled with the elements
 * @count: how many; more than the reserve holds when full may wait for the
 *	backend however long that takes, everybody else behind, and is reported
 *
 * As mpslab_pool_alloc() with %GFP_KERNEL.  While the caller waits, all that is
 * freed goes to him when his turn comes; so several bulk waiters do not block
 * each other, and single allocations do not starve them.
 *
 * Context: task; sleeps.
 * Return: 0, and then all are there; -EINVAL for a NULL argument.
 */
int mpslab_pool_alloc_bulk(struct mpslab_pool *pool, void **elems,
			   unsigned int count)
{
	return pool_alloc_bulk(pool, elems, count, &unbounded);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_bulk);

/**
 * mpslab_pool_alloc_bulk_killable() - allocate many elements, unless killed meanwhile
 * @pool: the pool
 * @elems: filled with the elements
 * @count: how many, as for mpslab_pool_alloc_bulk()
 *
 * As mpslab_pool_alloc_bulk(), but a fatal signal ends the wait for frees, as for
 * mpslab_pool_alloc_killable().
 *
 * Context: task; sleeps.
 * Return: 0, and then all are there; -EINTR, and then none is; -EINVAL for a NULL
 * argument.
 */
int mpslab_pool_alloc_bulk_killable(struct mpslab_pool *pool, void **elems,
				    unsigned int count)
{
	return pool_alloc_bulk(pool, elems, count, &until_killed);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_bulk_killable);

/**
 * mpslab_pool_alloc_bulk_timeout() - allocate many elements, or give up
 * @pool: the pool
 * @elems: filled with the elements
 * @count: how many, as for mpslab_pool_alloc_bulk()
 * @timeout: how long to wait for frees at most, in jiffies, 0 or more
 *
 * Context: task; sleeps.
 * Return: 0, and then all are there; -ETIMEDOUT, and then none is; -EINVAL for a
 * NULL argument or a negative time.
 */
int mpslab_pool_alloc_bulk_timeout(struct mpslab_pool *pool, void **elems,
				   unsigned int count, long timeout)
{
	const struct pool_bound bound = {
		.state = TASK_UNINTERRUPTIBLE,
		.timeout = timeout,
	};

	return pool_alloc_bulk(pool, elems, count, &bound);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_bulk_timeout);

/**
 * mpslab_pool_alloc_preallocated() - allocate an element from the reserve only
 * @pool: the pool
 *
 * Context: any but NMI; never sleeps.
 * Return: an element, or NULL if the reserve is empty, if what is in it is for
 * those who wait, or if @pool is NULL.
 */
void *mpslab_pool_alloc_preallocated(struct mpslab_pool *pool)
{
	if (unlikely(!pool)) {
		usage_bug("pool", "allocation refused: a NULL pool");
		return NULL;
	}
	if (pool_refused(pool, "allocation"))
		return NULL;
	if (pool_is_slow(pool))
		return pool_take_preallocated_slow(pool);
	return take_reserve_one(pool);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_preallocated);

/* ------------------------------------------------------------------------ free -- */

/*
 * Is the reserve as full as it should be?  Asked without the lock; the answer
 * misses no shortage that matters.
 *
 * The read barrier, paired with the write barriers in take_reserve_one(),
 * pool_take_reserve_all() and pool_wait(), makes us see a word no older than the
 * taking of our own element.  So if ours was taken from the reserve, and the
 * reserve has not been full since, we see that it is not.  One word, because of two,
 * curr_nr and what it should be, the second could be older than the first, and a
 * reserve that has only grown look full: models/litmus/pool-two-words.  That it is
 * right with others about is shown by pool-free-among-others, -during-growth.
 *
 * Waiters need no test of their own.  While a bulk waiter is queued, the reserve
 * is empty.  While others wait it may be full, but then the first of them was
 * woken to take from it, and whoever comes before him brings back what he took;
 * mempool_wait.c has the proof.
 */
static __always_inline bool reserve_is_full(struct mpslab_pool *pool)
{
	/*
	 * pairs with smp_wmb() in take_reserve_one(), pool_take_reserve_all() and
	 * pool_wait(); models/litmus: pool-free-sees-take, pool-handed-over
	 */
	smp_rmb();
	return READ_ONCE(pool->missing) <= 0;
}

/**
 * struct bulk_mistakes - what can't be freed of a bulk
 * @nulls: elements that are NULL
 * @twice: those that were freed just before
 */
struct bulk_mistakes {
	unsigned int nulls;
	unsigned int twice;
};

static noinline void report_mistakes(struct mpslab_pool *pool,
				     struct bulk_mistakes m)
{
	if (m.nulls)
		pool_bad_free(pool, "bulk free of a NULL element");
	while (m.twice--)
		pool_bad_free(pool, FREED_TO_RESERVE);
}

/* They were passed over, as nobody could use them, but counted as kept. */
static noinline void refuse_elements(struct mpslab_pool *pool,
				     struct bulk_mistakes m)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->kept -= m.nulls + m.twice;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	report_mistakes(pool, m);
}

/* As keep_element(), but the caller gets rid of what is none, too. */
static __always_inline bool keep_or_refuse(struct mpslab_pool *pool, void *element,
					   struct bulk_mistakes *m)
{
	if (unlikely(!element))
		return ++m->nulls;
	if (unlikely(is_newest(pool, element)))
		return ++m->twice;
	return keep_element(pool, element);
}

/*
 * Bring elements back to waiters and reserve; returns how many were needed, from
 * the start of @elems.
 */
static unsigned int return_elements(struct mpslab_pool *pool, void **elems,
				    unsigned int count)
{
	struct bulk_mistakes m = {};
	unsigned int nr = 0, end;
	unsigned long flags;

	if (likely(reserve_is_full(pool)))
		return 0;
	do {
		end = min(nr + FREE_BATCH, count);
		raw_spin_lock_irqsave(&pool->lock, flags);
		pool->kept -= nr;
		while (nr < end && keep_or_refuse(pool, elems[nr], &m))
			nr++;
		pool->kept += nr;
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	} while (nr == end && end < count);
	if (unlikely(m.nulls || m.twice))
		refuse_elements(pool, m);
	return nr;
}

/* The same for one element; true if it was needed, or refused. */
static bool return_one(struct mpslab_pool *pool, void *element)
{
	unsigned long flags;
	bool kept, twice;

	if (likely(reserve_is_full(pool)))
		return false;
	raw_spin_lock_irqsave(&pool->lock, flags);
	twice = is_newest(pool, element);
	kept = !twice && keep_element(pool, element);
	pool->kept += kept;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (unlikely(twice))
		pool_bad_free(pool, FREED_TO_RESERVE);
	return kept || twice;
}

/*
 * The same as return_elements() where each element is looked up first.  One at a
 * time, so that one that is there twice is found; and those that are refused come
 * to the start, too, as the caller gives the rest to the backend.
 */
static noinline unsigned int return_tracked(struct mpslab_pool *pool, void **elems,
					    unsigned int count)
{
	unsigned int i, nr = 0;

	for (i = 0; i < count; i++) {
		if (pool_track_free(pool, elems[i]) &&
		    !return_elements(pool, &elems[i], 1))
			continue;
		swap(elems[nr], elems[i]);
		nr++;
	}
	return nr;
}

/* To this CPU's array of the cache that the pool is over; see mpslab_pool_alloc(). */
static __always_inline bool pool_push(struct mpslab_pool *pool, void *element)
{
	struct mpslab_cache *cache;

	if (unlikely(!pool_goes_short_way(pool)))
		return false;
	cache = pool->pool_data;
	return may_push(cache, element) && cpu_cache_push(cache, element, pool);
}

static noinline void pool_free_slow(struct mpslab_pool *pool, void *element)
{
	if (unlikely(!element))
		return;
	if (pool_refused(pool, "free"))
		return;
	if (unlikely(READ_ONCE(pool->slow) & POOL_SLOW_TRACK) &&
	    !pool_track_free(pool, element))
		return;
	/* What the pool keeps is counted under its lock already. */
	if (return_one(pool, element))
		return;
	this_cpu_inc(pool->stat->frees);
	pool->free(element, pool->pool_data);
}

/**
 * mpslab_pool_free() - free an element
 * @element: the element; NULL is fine
 * @pool: the pool that it is of
 *
 * It goes to whoever waited longest, if he may not be overtaken, else to the
 * reserve, else to the backend.
 *
 * Context: any but NMI; sleeps only if the backend's free does.
 */
void mpslab_pool_free(void *element, struct mpslab_pool *pool)
{
	if (unlikely(!pool)) {
		if (element)
			usage_bug("pool", "free of an element of a NULL pool");
		return;
	}
	if (unlikely(!reserve_is_full(pool) || !pool_push(pool, element)))
		pool_free_slow(pool, element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_free);

static unsigned int count_nulls(void **elems, unsigned int count)
{
	unsigned int nulls = 0;

	while (count)
		nulls += !elems[--count];
	return nulls;
}

/* What the pool does not need has left it, less what has never been there. */
static void count_frees(struct mpslab_pool *pool, void **elems,
			unsigned int count)
{
	unsigned int nulls = count_nulls(elems, count);

	this_cpu_add(pool->stat->frees, count - nulls);
	if (unlikely(nulls))
		report_mistakes(pool, (struct bulk_mistakes){ .nulls = nulls });
}

/**
 * mpslab_pool_free_bulk() - bring elements back to the pool as far as it needs them
 * @pool: the pool
 * @elems: the elements; may be in another order afterwards
 * @count: how many
 *
 * A NULL among them is a mistake, which is reported and not counted.
 *
 * Context: any but NMI; never sleeps.
 * Return: how many were taken back, from the start of @elems; the rest is the
 * caller's to give to the backend, and no longer counts as the pool's.  One that
 * is refused, as it is in the reserve already, is among the first.
 */
unsigned int mpslab_pool_free_bulk(struct mpslab_pool *pool, void **elems,
				   unsigned int count)
{
	unsigned int nr;

	if (unlikely(!pool || (count && !elems))) {
		usage_bug("pool", "bulk free to a NULL pool or of a NULL array");
		return 0;
	}
	if (pool_refused(pool, "bulk free"))
		return 0;
	if (unlikely(READ_ONCE(pool->slow) & POOL_SLOW_TRACK))
		nr = return_tracked(pool, elems, count);
	else
		nr = return_elements(pool, elems, count);
	if (nr < count)
		count_frees(pool, elems + nr, count - nr);
	return nr;
}
EXPORT_SYMBOL_GPL(mpslab_pool_free_bulk);

/* --------------------------------------------------------------------- looking -- */

/**
 * pool_counts() - a pool's sums
 * @pool: the pool
 * @counts: the result; exact when nobody uses the pool
 *
 * Context: any but NMI.
 */
void pool_counts(struct mpslab_pool *pool, struct pool_counts *counts)
{
	struct mpslab_pool_stat *st;
	unsigned long flags;
	int cpu;

	memset(counts, 0, sizeof(*counts));
	for_each_possible_cpu(cpu) {
		st = per_cpu_ptr(pool->stat, cpu);
		counts->backend_allocs += READ_ONCE(st->backend_allocs) +
					  local_read(&st->pops);
		counts->frees += READ_ONCE(st->frees) + local_read(&st->pushes);
	}
	raw_spin_lock_irqsave(&pool->lock, flags);
	counts->reserve_allocs = pool->reserve_allocs;
	counts->frees += pool->kept;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* As the per-CPU counts wrap, where a long is short. */
	counts->outstanding = (long)(counts->backend_allocs +
				     counts->reserve_allocs - counts->frees);
}
EXPORT_SYMBOL_IF_KUNIT(pool_counts);
