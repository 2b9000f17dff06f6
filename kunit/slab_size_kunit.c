// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays that find their size.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>

#include "fixtures.h"

/*
 * With everything as it is created, and only swept by the case itself; unknown to
 * kmemleak, as the cases allocate millions of objects, and to KMSAN, which takes a
 * millisecond for each.
 */
static struct mpslab_cache *sized_cache(struct kunit *test, unsigned int size)
{
	slab_flags_t untold = IS_ENABLED(CONFIG_KMSAN) ? SLAB_TYPESAFE_BY_RCU : 0;
	struct mpslab_cache *cache = test_cache(test, size,
						SLAB_NOLEAKTRACE | untold);

	keep_quiet(test, cache);
	KUNIT_ASSERT_TRUE(test, cache->auto_size);
	return cache;
}

/*
 * Up to @turns swings of @nr objects, each as if it took no time; ends when the
 * arrays have another size.
 */
static void swing(struct kunit *test, struct mpslab_cache *cache,
		  unsigned int nr, unsigned int turns)
{
	void **objs = test_pointers(test, nr);
	unsigned int limit = cache->limit;

	while (turns-- && cache->limit == limit) {
		here(cache)->trips_since = jiffies;
		KUNIT_ASSERT_EQ(test, (int)nr,
				mpslab_cache_alloc_bulk(cache, GFP_KERNEL, nr,
							objs));
		mpslab_cache_free_bulk(cache, nr, objs);
		irq_work_sync(&cache->size_irq);
		flush_work(&cache->size_work);
	}
}

static void age(struct mpslab_cache *cache)
{
	mutex_lock(&mpslab_mutex);
	cache_size_age(cache);
	mutex_unlock(&mpslab_mutex);
	flush_work(&cache->size_work);
}

static void size_doubles_when_swings_do_not_fit(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit;

	swing(test, cache, 4 * first, 200);
	KUNIT_EXPECT_EQ(test, cache->limit, 2 * first);
	KUNIT_EXPECT_EQ(test, cache->batchcount, first);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.limit, 2 * first);
	KUNIT_EXPECT_TRUE(test, cache->auto_size);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void size_stays_when_swings_fit(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit;

	swing(test, cache, first / 2, 200);
	KUNIT_EXPECT_EQ(test, cache->limit, first);
	KUNIT_EXPECT_LT(test, here(cache)->trips, 3U);
	test_cache_end(test, cache, 0);
}

/* A table is filled and emptied: many trips, but larger arrays do not save them. */
static void size_stays_when_nothing_swings(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit;

	swing(test, cache, 300 * first, 2);
	KUNIT_EXPECT_EQ(test, cache->limit, first);
	test_cache_end(test, cache, 0);
}

/* The same where many batches are shared, as on a node with many CPUs. */
static void size_stays_when_only_much_is_shared(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit;

	KUNIT_ASSERT_EQ(test, cache_tune(cache, first, first / 2, 52), 0);
	cache_size_auto(cache, true);
	swing(test, cache, 300 * first, 2);
	KUNIT_EXPECT_EQ(test, cache->limit, first);
	test_cache_end(test, cache, 0);
}

/* The first trips count, too: of a new cache, and of arrays that have just grown. */
static void size_window_starts_with_the_arrays(struct kunit *test)
{
	unsigned long start = jiffies;
	struct mpslab_cache *cache = sized_cache(test, 64);

	KUNIT_EXPECT_TRUE(test, time_in_range(here(cache)->trips_since, start,
					      jiffies));
	start = jiffies;
	KUNIT_ASSERT_EQ(test, cache_tune(cache, 30, 15, 2), 0);
	KUNIT_EXPECT_TRUE(test, time_in_range(here(cache)->trips_since, start,
					      jiffies));
	test_cache_end(test, cache, 0);
}

/* The same number of trips, but slowly: no reason to keep more objects idle. */
static void size_stays_when_trips_are_rare(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit, i;
	void **objs = test_pointers(test, 4 * first);

	for (i = 0; i < 100; i++) {
		here(cache)->trips_since = jiffies - HZ;
		mpslab_cache_alloc_bulk(cache, GFP_KERNEL, 4 * first, objs);
		mpslab_cache_free_bulk(cache, 4 * first, objs);
	}
	irq_work_sync(&cache->size_irq);
	flush_work(&cache->size_work);
	KUNIT_EXPECT_EQ(test, cache->limit, first);
	test_cache_end(test, cache, 0);
}

static void size_is_bounded(struct kunit *test)
{
	static const unsigned int sizes[] = { 16, 4096, 16384 };
	struct mpslab_cache *cache;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = sized_cache(test, sizes[i]);
		for (n = 0; n < 5; n++)
			swing(test, cache, 2 * cache->limit + 8, 200);
		KUNIT_EXPECT_LE(test, cache->limit, (unsigned int)CPU_LIMIT_MAX);
		KUNIT_EXPECT_GE(test, cache->limit, cache->first_limit);
		if (cache->limit > cache->first_limit)
			KUNIT_EXPECT_LE(test, cache->limit * sizes[i], 256U << 10);
		expect_balanced(test, cache, 0);
		test_cache_end(test, cache, 0);
	}
}

static void size_halves_when_calm(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit, large;
	unsigned long calm_time = cache->calm_time;

	swing(test, cache, 4 * first, 200);
	swing(test, cache, 8 * first, 200);
	large = cache->limit;
	KUNIT_ASSERT_EQ(test, large, 4 * first);
	KUNIT_EXPECT_GT(test, cache->calm_time, calm_time);
	age(cache);
	KUNIT_EXPECT_EQ(test, cache->limit, large);	/* not yet calm */
	while (large > first) {
		cache->calm_at = jiffies - 1;
		age(cache);
		large /= 2;
		KUNIT_ASSERT_EQ(test, cache->limit, large);
	}
	cache->calm_at = jiffies - 1;
	age(cache);
	KUNIT_EXPECT_EQ(test, cache->limit, first);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void size_asked_for_is_kept(struct kunit *test)
{
	struct mpslab_cache_args args = { .sheaf_capacity = 20 };
	struct mpslab_cache *cache = sized_cache(test, 64);

	KUNIT_ASSERT_EQ(test, cache_tune(cache, 30, 15, 2), 0);
	swing(test, cache, 200, 100);
	KUNIT_EXPECT_EQ(test, cache->limit, 30U);
	cache->calm_at = jiffies - 1;
	age(cache);
	KUNIT_EXPECT_EQ(test, cache->limit, 30U);
	test_cache_end(test, cache, 0);

	cache = mpslab_cache_create_args("kunit-size", 64, &args, 0);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	swing(test, cache, 200, 100);
	KUNIT_EXPECT_EQ(test, cache->limit, 20U);
	mpslab_cache_destroy(cache);
}

/* What they find is within the tunables' bounds, so that a tunable can be written. */
static void size_found_can_be_asked_for(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int limit;

	KUNIT_ASSERT_EQ(test, cache_tune(cache, 1, 1, 0), 0);
	cache_size_auto(cache, true);
	for (limit = 2; limit <= 16; limit *= 2) {
		swing(test, cache, 64, 200);
		KUNIT_ASSERT_EQ(test, cache->limit, limit);
		KUNIT_EXPECT_LE(test, cache->shared_factor,
				(unsigned int)SHARED_FACTOR_MAX);
	}
	KUNIT_EXPECT_EQ(test, cache_tune(cache, cache->limit, cache->batchcount,
					 cache->shared_factor), 0);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

/* How busy the CPUs were while nobody looked is not known: not a time of calm. */
static void size_turned_on_is_not_yet_calm(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);

	KUNIT_ASSERT_EQ(test, cache_tune(cache, CPU_LIMIT_MAX, 60, 8), 0);
	cache->calm_at = jiffies - 1;
	cache_size_auto(cache, true);
	age(cache);
	KUNIT_EXPECT_EQ(test, cache->limit, (unsigned int)CPU_LIMIT_MAX);
	cache->calm_at = jiffies - 1;
	age(cache);
	KUNIT_EXPECT_EQ(test, cache->limit, (unsigned int)CPU_LIMIT_MAX / 2);
	test_cache_end(test, cache, 0);
}

/* A failing allocation at any place leaves the arrays as they are. */
static void size_without_memory_stays(struct kunit *test)
{
	struct mpslab_cache *cache = sized_cache(test, 64);
	unsigned int first = cache->limit, nth;

	for (nth = 1; nth < 100; nth++) {
		arm(test, &fault_all.plan[FAULT_SETUP], "nth=%u pid=%d", nth,
		    task_pid_nr(current));
		mutex_lock(&cache->tune_lock);
		cache_tune_locked(cache, 2 * first, first, 8);
		mutex_unlock(&cache->tune_lock);
		disarm(&fault_all.plan[FAULT_SETUP]);
		expect_balanced(test, cache, 0);
		if (cache->limit != first)
			break;
	}
	KUNIT_EXPECT_GT(test, nth, 1U);
	KUNIT_EXPECT_EQ(test, cache->limit, 2 * first);
	test_cache_end(test, cache, 0);
}

/* The word that arrays are too small is on its way when the cache goes. */
static void size_destroyed_on_the_way(struct kunit *test)
{
	struct mpslab_cache *cache;
	unsigned int i;
	void **objs;

	for (i = 0; i < scaled(50); i++) {
		cache = mpslab_cache_create("kunit-size", 64, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		objs = test_pointers(test, 2 * cache->limit);
		take_objects(test, cache, objs, 2 * cache->limit);
		irq_work_queue(&cache->size_irq);
		give_objects(cache, objs, 2 * cache->limit);
		mpslab_cache_destroy(cache);
	}
}

static struct kunit_case slab_size_cases[] = {
	KUNIT_CASE(size_doubles_when_swings_do_not_fit),
	KUNIT_CASE(size_stays_when_swings_fit),
	KUNIT_CASE(size_stays_when_nothing_swings),
	KUNIT_CASE(size_stays_when_only_much_is_shared),
	KUNIT_CASE(size_window_starts_with_the_arrays),
	KUNIT_CASE(size_stays_when_trips_are_rare),
	KUNIT_CASE(size_is_bounded),
	KUNIT_CASE(size_halves_when_calm),
	KUNIT_CASE(size_asked_for_is_kept),
	KUNIT_CASE(size_found_can_be_asked_for),
	KUNIT_CASE(size_turned_on_is_not_yet_calm),
	KUNIT_CASE(size_without_memory_stays),
	KUNIT_CASE_SLOW(size_destroyed_on_the_way),
	{}
};

static struct kunit_suite slab_size_suite = {
	.name = "mpslab_slab_size",
	.test_cases = slab_size_cases,
};

kunit_test_suite(slab_size_suite);
