// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUs' arrays find their size.
 *
 * How many objects an array should hold depends on how far a CPU's number of
 * objects in use swings, and that only shows when the client runs.  So a cache
 * starts with the sizes that served mm/slab.c, and then:
 *
 *	A CPU that goes to a node's lock more than SIZE_TRIPS times in SIZE_WINDOW
 *	has swings that do not fit: the cache's arrays double.  Unless the shared
 *	array hardly ever had objects, or room, for it: then the client fills a
 *	table, or empties it, and larger arrays would only keep more back.
 *	No CPU did so for some time: perhaps they need not be so large; they
 *	halve, down to where they started.  Each growth doubles that time, so
 *	a client whose load returns is left alone before long.
 *
 * Arrays do not grow beyond SIZE_BYTES_MAX of objects in one, and objects that
 * idle in a large array still age (cpu_cache_reap_local()).  A size that was asked
 * for, by a tunable or by sheaf_capacity, is never changed.
 *
 * Bonwick and Adams' magazines ("Magazines and Vmem", 2001) grow on contention
 * for the depot's lock, and never shrink; going there at all is counted here,
 * since a lock that is free costs its cache line all the same.
 *
 * The slow paths, which see it first, may be in any context, under any of the
 * client's locks.  An interrupt of our own carries the word from there to a work
 * item, where one may sleep.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include "internal.h"

#define SIZE_TRIPS	256
#define SIZE_SWINGS	16U		/* of these, at least */
#define SIZE_WINDOW	(HZ / 4)
#define SIZE_BYTES_MAX	(256 * 1024)
#define SIZE_CALM_MIN	(8 * HZ)	/* until the first halving */
#define SIZE_CALM_MAX	(1800 * HZ)

static unsigned int largest_limit(const struct mpslab_cache *cache)
{
	return clamp_t(unsigned int, SIZE_BYTES_MAX / cache->size,
		       cache->first_limit, CPU_LIMIT_MAX);
}

/*
 * As many objects shared as at the start, but at least two batches of them; and no
 * more batches than may be asked for, where they are much smaller than at first.
 */
static unsigned int factor_for(const struct mpslab_cache *cache,
			       unsigned int batchcount)
{
	unsigned int shared = cache->first_shared * ((cache->first_limit + 1) / 2);

	return shared ? clamp_t(unsigned int, DIV_ROUND_UP(shared, batchcount),
				2, SHARED_FACTOR_MAX) : 0;
}

static bool is_calm(const struct mpslab_cache *cache)
{
	return time_after(jiffies, READ_ONCE(cache->calm_at));
}

static void be_calm_later(struct mpslab_cache *cache)
{
	WRITE_ONCE(cache->calm_at, jiffies + READ_ONCE(cache->calm_time));
}

static void size_work_fn(struct work_struct *work)
{
	struct mpslab_cache *cache = container_of(work, struct mpslab_cache,
						  size_work);
	unsigned int limit, batchcount;

	mutex_lock(&cache->tune_lock);
	if (is_calm(cache)) {
		limit = max(cache->limit / 2, cache->first_limit);
	} else {
		limit = min(2 * cache->limit, largest_limit(cache));
		WRITE_ONCE(cache->calm_time,
			   min_t(unsigned long, 2 * cache->calm_time,
				 SIZE_CALM_MAX));
	}
	batchcount = (limit + 1) / 2;
	/* Without memory for it, all stays as it is. */
	if (READ_ONCE(cache->auto_size) && limit != cache->limit)
		cache_tune_locked(cache, limit, batchcount,
				  factor_for(cache, batchcount));
	be_calm_later(cache);
	mutex_unlock(&cache->tune_lock);
}

static void size_irq_fn(struct irq_work *work)
{
	schedule_work(&container_of(work, struct mpslab_cache,
				    size_irq)->size_work);
}

/*
 * A table that is filled and then emptied finds the shared array full once, and once
 * empty: that are two trips for each of its batches.  More are swings.
 */
static unsigned int enough_swings(const struct mpslab_cache *cache)
{
	return max(SIZE_SWINGS, 3 * READ_ONCE(cache->shared_factor));
}

/**
 * cache_size_trip() - this CPU goes to its node's lock
 * @cache: the cache
 * @cc: this CPU's arrays, entered
 * @swing: the shared array had objects, or room, for it; or there is none
 *
 * Context: preemption off.
 */
void cache_size_trip(struct mpslab_cache *cache, struct cpu_cache *cc,
		     bool swing)
{
	unsigned long began = cc->trips_since;
	unsigned int swings = cc->swings += swing;

	if (likely(++cc->trips < SIZE_TRIPS))
		return;
	cc->trips = 0;
	cc->swings = 0;
	cc->trips_since = jiffies;
	if (!READ_ONCE(cache->auto_size) || swings < enough_swings(cache) ||
	    time_after(jiffies, began + SIZE_WINDOW))
		return;
	be_calm_later(cache);
	if (cc->ac.limit < largest_limit(cache))
		irq_work_queue(&cache->size_irq);
}

/**
 * cache_size_age() - see whether large arrays are still needed
 * @cache: the cache
 *
 * Context: mpslab_mutex.
 */
void cache_size_age(struct mpslab_cache *cache)
{
	lockdep_assert_held(&mpslab_mutex);
	if (READ_ONCE(cache->auto_size) && is_calm(cache) &&
	    cache->limit > cache->first_limit)
		schedule_work(&cache->size_work);
}
EXPORT_SYMBOL_IF_KUNIT(cache_size_age);

/**
 * cache_size_init() - let a new cache's arrays find their size
 * @cache: the cache, its tunables set
 * @auto_size: or keep these
 *
 * Context: nobody else knows the cache.
 */
void cache_size_init(struct mpslab_cache *cache, bool auto_size)
{
	INIT_WORK(&cache->size_work, size_work_fn);
	init_irq_work(&cache->size_irq, size_irq_fn);
	cache->first_limit = cache->limit;
	cache->first_shared = cache->shared_factor;
	cache->calm_time = SIZE_CALM_MIN;
	be_calm_later(cache);
	cache->auto_size = auto_size;
}

/**
 * cache_size_auto() - let a cache's arrays find their size, or keep what they have
 * @cache: the cache
 * @on: which
 *
 * Whether the CPUs were calm while it was off is not known, so they were not.
 * tune_lock, because nothing should change any more once it has been turned off.
 *
 * Context: task; sleeps.
 */
void cache_size_auto(struct mpslab_cache *cache, bool on)
{
	mutex_lock(&cache->tune_lock);
	be_calm_later(cache);
	WRITE_ONCE(cache->auto_size, on);
	mutex_unlock(&cache->tune_lock);
}
EXPORT_SYMBOL_IF_KUNIT(cache_size_auto);

/**
 * cache_size_stop() - the arrays keep their size from here on
 * @cache: a cache that nobody uses, no longer listed
 *
 * Context: task; sleeps.  Not tune_lock, which the work takes.
 */
void cache_size_stop(struct mpslab_cache *cache)
{
	WRITE_ONCE(cache->auto_size, false);
	irq_work_sync(&cache->size_irq);
	cancel_work_sync(&cache->size_work);
}
