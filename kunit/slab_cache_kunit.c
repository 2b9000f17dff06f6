// SPDX-License-Identifier: GPL-2.0
/*
 * Allocation and free as one CPU sees them: where objects come from, where they
 * go, in which order, and what happens when something is wrong.
 *
 * Most cases use caches that the periodic reaper does not see, on the CPU that
 * they are pinned to, so that every count is exact.
 */
#include <linux/preempt.h>
#include <linux/slab.h>

#include "fixtures.h"

static bool slab_has_free(struct mpslab_cache *cache, void *obj)
{
	struct mpslab_slab *slab = obj_to_slab(cache, obj);

	return slab && test_bit((obj - slab_base(slab)) / cache->size, slab->free);
}

/* ---------------------------------------------------------- alloc and free -- */

static void cache_alloc_free_any_order_keeps_content(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	unsigned int i, j, nr = scaled(2000);
	void **objs = test_pointers(test, nr);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, fixture_seed(test));
	take_objects(test, cache, objs, nr);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, stamp_take(objs[i], STAMPED_SIZE,
						   stamp_owner(0, i)));
	expect_balanced(test, cache, nr);
	expect_lists(test, cache);
	for (i = nr; i > 0; i--) {
		j = random_below(&rnd, i);
		swap(objs[i - 1], objs[j]);
	}
	/* who owns what is read back from the object itself */
	for (i = 0; i < nr; i++) {
		stamp_give(objs[i], STAMPED_SIZE,
			   ((struct stamp *)objs[i])->owner);
		mpslab_cache_free(cache, objs[i]);
	}
	expect_stamps(test);
	test_cache_end(test, cache, 0);
}

/* As a client would, at random; the lists are recounted on the way. */
static void cache_random_use_keeps_the_books(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	unsigned int i, slot, held = 0, nr = 600;
	void **objs = test_pointers(test, nr);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, fixture_seed(test));
	for (i = 0; i < scaled(40000); i++) {
		slot = random_below(&rnd, nr);
		if (objs[slot]) {
			stamp_give(objs[slot], STAMPED_SIZE, slot + 1);
			mpslab_cache_free(cache, objs[slot]);
			objs[slot] = NULL;
			held--;
		} else {
			take_objects(test, cache, &objs[slot], 1);
			stamp_take(objs[slot], STAMPED_SIZE, slot + 1);
			held++;
		}
		if (i % 4096 == 0) {
			expect_lists(test, cache);
			expect_balanced(test, cache, held);
		}
	}
	for (slot = 0; slot < nr; slot++)
		if (objs[slot])
			mpslab_cache_free(cache, objs[slot]);
	expect_stamps(test);
	test_cache_end(test, cache, 0);
}

static void cache_alloc_takes_the_newest(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	void *objs[3], *again[3];

	take_objects(test, cache, objs, 3);
	give_objects(cache, objs, 3);
	take_objects(test, cache, again, 3);
	KUNIT_EXPECT_PTR_EQ(test, again[0], objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, again[1], objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, again[2], objs[0]);
	give_objects(cache, again, 3);
	test_cache_end(test, cache, 0);
}

static void expect_zeroed(struct kunit *test, void *obj)
{
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(obj, 0, STAMPED_SIZE), NULL);
	memset(obj, 0xff, STAMPED_SIZE);
}

/* Objects were used before, so that it matters. */
static void cache_alloc_zero_zeroes_used_objects(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, STAMPED_SIZE, 0);
	unsigned int i, nr = 300;
	void **objs = test_pointers(test, nr);

	take_objects(test, cache, objs, nr);
	for (i = 0; i < nr; i++)
		memset(objs[i], 0xff, STAMPED_SIZE);
	give_objects(cache, objs, nr);
	for (i = 0; i < nr / 3; i++) {
		objs[i] = mpslab_cache_zalloc(cache, GFP_KERNEL);
		expect_zeroed(test, objs[i]);
	}
	for (; i < 2 * nr / 3; i++) {
		objs[i] = mpslab_cache_alloc_node(cache, GFP_KERNEL | __GFP_ZERO |
						  __GFP_THISNODE,
						  near_node());
		expect_zeroed(test, objs[i]);
	}
	KUNIT_ASSERT_EQ(test, (int)(nr - i),
			mpslab_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO,
						nr - i, objs + i));
	for (; i < nr; i++)
		expect_zeroed(test, objs[i]);
	mpslab_cache_free_bulk(cache, nr, objs);
	test_cache_end(test, cache, 0);
}

static void cache_init_on_alloc_and_free_wipe(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, STAMPED_SIZE, 0);
	void *obj;

	keep_quiet(test, cache);
	cache->work_gfp |= __GFP_ZERO;
	cache->init_on_free = true;
	cache_set_work(cache, false);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	expect_zeroed(test, obj);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_TRUE(test, free_memory_is(obj, 0, STAMPED_SIZE));
	free_memory_set(obj, 0xff, STAMPED_SIZE);	/* it lies in this CPU's array */
	KUNIT_EXPECT_PTR_EQ(test, mpslab_cache_alloc(cache, GFP_KERNEL), obj);
	expect_zeroed(test, obj);
	mpslab_cache_free(cache, obj);
	test_cache_end(test, cache, 0);
}

static void cache_alloc_zero_with_ctor_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	void *objs[2];

	KUNIT_EXPECT_NULL(test, mpslab_cache_zalloc(cache, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpslab_cache_alloc_node(cache, GFP_KERNEL |
							__GFP_ZERO, 0));
	KUNIT_EXPECT_EQ(test, 0, mpslab_cache_alloc_bulk(cache, GFP_KERNEL |
							 __GFP_ZERO, 2, objs));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->errors[ERROR_ARGUMENT]), 3L);
	test_cache_end(test, cache, 3);
}

static atomic_t constructed;

static void counting_ctor(void *obj)
{
	atomic_inc(&constructed);
	stamp_init(obj, STAMPED_SIZE);
}

static void cache_ctor_runs_once_per_object(struct kunit *test)
{
	struct mpslab_cache *cache;
	unsigned int i, nr = 500;
	void **objs = test_pointers(test, nr);
	unsigned long born;
	int once;

	atomic_set(&constructed, 0);
	cache = test_cache_ctor(test, STAMPED_SIZE, 0, counting_ctor);
	keep_quiet(test, cache);	/* another node would make slabs, too */
	take_objects(test, cache, objs, nr);
	born = home(cache)->grown * cache->best.objects;
	once = atomic_read(&constructed);
	KUNIT_EXPECT_EQ(test, (unsigned long)once, born);
	for (i = 0; i < nr; i++)
		stamp_take(objs[i], STAMPED_SIZE, i + 1);
	for (i = 0; i < nr; i++)
		stamp_give(objs[i], STAMPED_SIZE, i + 1);
	give_objects(cache, objs, nr / 2);
	take_objects(test, cache, objs, nr / 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&constructed), once);
	for (i = 0; i < nr; i++)
		stamp_take(objs[i], STAMPED_SIZE, i + 1);
	expect_stamps(test);
	give_objects(cache, objs, nr);
	test_cache_end(test, cache, 0);
}

/* ------------------------------------------------------- refill and grow -- */

static void refill_takes_shared_first(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct cache_node *n = home(cache);
	void *objs[SMALL_LIMIT + 1], *obj;
	unsigned long free;

	take_objects(test, cache, objs, SMALL_LIMIT + 1);
	give_objects(cache, objs, SMALL_LIMIT + 1);
	KUNIT_ASSERT_EQ(test, n->shared->avail, (unsigned int)SMALL_BATCH);
	cpu_cache_drain_local(cache);
	KUNIT_ASSERT_EQ(test, here(cache)->ac.avail, 0U);
	free = n->free_objects;
	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, n->shared->avail, 0U);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, SMALL_BATCH - 1U);
	KUNIT_EXPECT_EQ(test, n->free_objects, free);
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 0);
}

static void refill_takes_partial_before_free(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *held = test_cache_hold_one(test, cache);
	struct cache_node *n = home(cache);
	void *obj;

	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, n->nr_free, 1UL);
	KUNIT_EXPECT_FALSE(test, n->touched);
	KUNIT_EXPECT_EQ(test, n->grown, 2UL);
	KUNIT_EXPECT_PTR_EQ(test, obj_to_slab(cache, obj),
			    obj_to_slab(cache, held));
	give_objects(cache, &obj, 1);
	give_objects(cache, &held, 1);
	test_cache_end(test, cache, 0);
}

static void refill_takes_free_before_growing(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	unsigned int nr = 2 * cache->best.objects - 1;
	void *held = test_cache_hold_one(test, cache);
	void **objs = test_pointers(test, nr + 1);
	struct cache_node *n = home(cache);

	take_objects(test, cache, objs, nr);
	KUNIT_EXPECT_EQ(test, n->nr_full, 2UL);
	KUNIT_EXPECT_TRUE(test, n->touched);
	KUNIT_EXPECT_EQ(test, n->grown, 2UL);
	take_objects(test, cache, objs + nr, 1);
	KUNIT_EXPECT_EQ(test, n->grown, 3UL);
	give_objects(cache, objs, nr + 1);
	give_objects(cache, &held, 1);
	test_cache_end(test, cache, 0);
}

static void refill_untouched_array_takes_few(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	void *held = test_cache_hold_one(test, cache);
	void *obj;

	KUNIT_ASSERT_GT(test, cache->batchcount, (unsigned int)BOUNCE_REFILL);
	here(cache)->aged_allocs = here(cache)->stat.allocs;
	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, BOUNCE_REFILL - 1U);
	give_objects(cache, &obj, 1);

	cpu_cache_drain_local(cache);
	here(cache)->aged_allocs = here(cache)->stat.allocs - 1;
	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, cache->batchcount - 1);
	give_objects(cache, &obj, 1);
	give_objects(cache, &held, 1);
	test_cache_end(test, cache, 0);
}

static void refill_short_lists_serves_what_is_there(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	unsigned int nr = cache->best.objects;
	void **objs = test_pointers(test, nr);

	take_objects(test, cache, objs, nr);
	give_objects(cache, objs, SMALL_BATCH - 1);
	cpu_cache_drain_local(cache);
	here(cache)->aged_allocs = here(cache)->stat.allocs - 1;
	take_objects(test, cache, objs, 1);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, SMALL_BATCH - 2U);
	KUNIT_EXPECT_EQ(test, home(cache)->grown, 1UL);
	give_objects(cache, objs, 1);
	give_objects(cache, objs + SMALL_BATCH - 1, nr - SMALL_BATCH + 1);
	test_cache_end(test, cache, 0);
}

static void grow_fills_array_then_node(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct cache_node *n = home(cache);
	void *obj;

	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, (unsigned int)SMALL_BATCH);
	KUNIT_EXPECT_EQ(test, n->nr_partial, 1UL);
	KUNIT_EXPECT_EQ(test, n->free_objects,
			cache->best.objects - SMALL_BATCH - 1UL);
	expect_balanced(test, cache, 1);
	expect_lists(test, cache);
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 0);
}

static void grow_failing_anywhere_loses_nothing(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 700, 3000, 5000, 40000 };
	struct mpslab_cache *cache;
	unsigned int i, nth;
	void *obj;
	bool hit;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = test_cache(test, sizes[i], 0);
		keep_quiet(test, cache);
		for (nth = 1, hit = true; hit && nth < 20; nth++) {
			arm(test, pages_plan(cache), "nth=%u", nth);
			arm(test, descriptors_plan(cache), "nth=%u", nth);
			obj = mpslab_cache_alloc(cache, GFP_KERNEL);
			hit = disarm(pages_plan(cache));
			hit |= disarm(descriptors_plan(cache));
			KUNIT_EXPECT_TRUE(test, obj || hit);
			expect_balanced(test, cache, !!obj);
			if (obj)
				mpslab_cache_free(cache, obj);
			mpslab_cache_shrink(cache);
		}
		KUNIT_EXPECT_FALSE(test, hit);
		/* the last one found nothing to fail, and the first one did */
		KUNIT_EXPECT_GT(test, nth, 2U);
		test_cache_end(test, cache, 0);
	}
}

static void alloc_without_memory_serves_what_is_free(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *held, *obj;

	held = test_cache_hold_one(test, cache);
	arm(test, pages_plan(cache), "every=1");
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, disarm(pages_plan(cache)), 0UL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	mpslab_cache_free(cache, held);
	test_cache_end(test, cache, 0);
}

/* --------------------------------------------------------- free and flush -- */

static void flush_moves_the_oldest_to_shared(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct array_cache *ac = &here(cache)->ac;
	struct cache_node *n = home(cache);
	void *objs[SMALL_LIMIT + 1];
	unsigned int i;

	take_objects(test, cache, objs, SMALL_LIMIT + 1);
	cpu_cache_drain_local(cache);
	give_objects(cache, objs, SMALL_LIMIT + 1);
	KUNIT_ASSERT_EQ(test, n->shared->avail, (unsigned int)SMALL_BATCH);
	for (i = 0; i < SMALL_BATCH; i++)
		KUNIT_EXPECT_PTR_EQ(test, n->shared->entry[i], objs[i]);
	KUNIT_ASSERT_EQ(test, ac->avail, SMALL_LIMIT - SMALL_BATCH + 1U);
	for (i = 0; i < ac->avail; i++)
		KUNIT_EXPECT_PTR_EQ(test, ac->entry[i], objs[SMALL_BATCH + i]);
	KUNIT_EXPECT_EQ(test, here(cache)->stat.flushes, 1UL);
	test_cache_end(test, cache, 0);
}

static void flush_shared_full_goes_to_slabs(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct cache_node *n = home(cache);
	unsigned int i, nr = SMALL_LIMIT + SMALL_BATCH + 1;
	void *objs[SMALL_LIMIT + SMALL_BATCH + 1];

	take_objects(test, cache, objs, nr);
	cpu_cache_drain_local(cache);
	give_objects(cache, objs, nr);
	KUNIT_ASSERT_EQ(test, here(cache)->stat.flushes, 2UL);
	KUNIT_EXPECT_EQ(test, n->shared->avail, (unsigned int)SMALL_BATCH);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, slab_has_free(cache, objs[i]),
				i >= SMALL_BATCH && i < 2 * SMALL_BATCH);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void flush_shared_short_of_room_splits_the_batch(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct array_cache *shared = home(cache)->shared;
	unsigned int i, nr = SMALL_LIMIT + 1;
	void *objs[SMALL_LIMIT + 1];

	take_objects(test, cache, objs, nr);
	cpu_cache_drain_local(cache);
	shared->limit = 1;
	give_objects(cache, objs, nr);
	KUNIT_EXPECT_EQ(test, shared->avail, 1U);
	KUNIT_EXPECT_PTR_EQ(test, shared->entry[0], objs[0]);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, slab_has_free(cache, objs[i]),
				i >= 1 && i < SMALL_BATCH);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

/* Other CPUs are served from the shared array.  Good frees pass, in their order. */
static void flush_sifts_out_wrong_frees(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 2);
	struct mpslab_cache *other = test_cache_quiet(test);
	struct array_cache *shared = home(cache)->shared;
	void *mem = kmalloc_node(64, GFP_KERNEL, near_node());
	void *objs[20], *foreign, *bad[4];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	take_objects(test, cache, objs, 20);
	take_objects(test, other, &foreign, 1);
	give_objects(cache, &objs[19], 1);
	cpu_cache_drain_local(cache);
	drain_shared(cache, ULONG_MAX);
	KUNIT_ASSERT_TRUE(test, slab_has_free(cache, objs[19]));
	bad[0] = objs[18] + 8;
	bad[1] = foreign;
	bad[2] = mem;
	bad[3] = objs[19];		/* once more */
	for (i = 0; i < 4; i++) {
		mpslab_cache_free(cache, bad[i]);
		mpslab_cache_free(cache, objs[i]);
	}
	give_objects(cache, objs + 4, 8);
	/* More, if some were refused at once, as on a debug kernel. */
	KUNIT_EXPECT_GE(test, shared->avail, 4U);
	for (i = 0; i < shared->avail; i++)
		KUNIT_EXPECT_PTR_EQ(test, shared->entry[i], objs[i]);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_INSIDE), 1L);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_OTHER_CACHE), 1L);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_NO_OBJECT), 1L);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_DOUBLE_FREE), 1L);
	expect_balanced(test, cache, 7);
	give_objects(cache, objs + 12, 7);
	give_objects(other, &foreign, 1);
	kfree(mem);
	test_cache_end(test, cache, 4);
	test_cache_end(test, other, 0);
}

static void free_limit_returns_slabs_above_it(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	struct cache_node *n = home(cache);
	unsigned int nr = 2 * n->free_limit + 40 * cache->best.objects;
	void **objs = test_pointers(test, nr);

	take_objects(test, cache, objs, nr);
	give_objects(cache, objs, nr);
	cpu_cache_drain_local(cache);
	drain_shared(cache, ULONG_MAX);
	KUNIT_EXPECT_LE(test, n->free_objects, n->free_limit);
	KUNIT_EXPECT_GT(test, n->reaped, 20UL);
	KUNIT_EXPECT_GT(test, n->nr_free, 0UL);
	test_cache_end(test, cache, 0);
}

static void free_stats_count_every_step(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *objs[SMALL_LIMIT + 1];
	struct cpu_stat st;

	take_objects(test, cache, objs, SMALL_LIMIT + 1);
	cache_cpu_stat(cache, raw_smp_processor_id(), &st);
	KUNIT_EXPECT_EQ(test, st.allocs, SMALL_LIMIT + 1UL);
	/* grown (1 + SMALL_BATCH), then refilled (SMALL_BATCH) */
	KUNIT_EXPECT_EQ(test, st.misses, 2UL);
	KUNIT_EXPECT_EQ(test, st.refills, 1UL);
	give_objects(cache, objs, SMALL_LIMIT + 1);
	cache_cpu_stat(cache, raw_smp_processor_id(), &st);
	KUNIT_EXPECT_EQ(test, st.frees, SMALL_LIMIT + 1UL);
	KUNIT_EXPECT_EQ(test, st.flushes, 1UL);
	test_cache_end(test, cache, 0);
}

/* -------------------------------------------------------------------- bulk -- */

static void bulk_alloc_gives_all_distinct(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	unsigned int i, nr = 1000;
	void **objs = test_pointers(test, nr);

	KUNIT_ASSERT_EQ(test, (int)nr,
			mpslab_cache_alloc_bulk(cache, GFP_KERNEL, nr, objs));
	for (i = 0; i < nr; i++)
		stamp_take(objs[i], STAMPED_SIZE, i + 1);
	expect_balanced(test, cache, nr);
	for (i = 0; i < nr; i++)
		stamp_give(objs[i], STAMPED_SIZE, i + 1);
	mpslab_cache_free_bulk(cache, nr, objs);
	expect_stamps(test);
	test_cache_end(test, cache, 0);
}

static void bulk_alloc_none_returns_zero(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);

	KUNIT_EXPECT_EQ(test, 0, mpslab_cache_alloc_bulk(cache, GFP_KERNEL, 0,
							 NULL));
	mpslab_cache_free_bulk(cache, 0, NULL);
	test_cache_end(test, cache, 0);
}

/* The last failure is one that was not reached, so that there is nothing to fail. */
static void bulk_alloc_failing_anywhere_is_all_or_nothing(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	unsigned int nth, failures = 0, nr = 5 * cache->best.objects;
	/* this node only, lest another one helps out */
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
	void **objs = test_pointers(test, nr);
	bool hit = true;
	int got;

	for (nth = 1; hit && nth < 50; nth++) {
		mpslab_cache_shrink(cache);
		arm(test, pages_plan(cache), "nth=%u", nth);
		got = mpslab_cache_alloc_bulk(cache, gfp, nr, objs);
		hit = disarm(pages_plan(cache));
		KUNIT_EXPECT_TRUE(test, got == (int)nr || (hit && !got));
		failures += !got;
		expect_balanced(test, cache, got);
		expect_lists(test, cache);
		mpslab_cache_free_bulk(cache, got, objs);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GT(test, failures, 0U);
	test_cache_end(test, cache, 0);
}

static void bulk_free_more_than_the_array_holds(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	unsigned int nr = 5 * SMALL_LIMIT;
	void **objs = test_pointers(test, nr);

	take_objects(test, cache, objs, nr);
	mpslab_cache_free_bulk(cache, nr, objs);
	KUNIT_EXPECT_LE(test, here(cache)->ac.avail, (unsigned int)SMALL_LIMIT);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void bulk_free_null_between_frees_the_others(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *objs[5];

	take_objects(test, cache, objs, 2);
	take_objects(test, cache, objs + 3, 2);
	objs[2] = NULL;
	mpslab_cache_free_bulk(cache, ARRAY_SIZE(objs), objs);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->errors[ERROR_ARGUMENT]), 1L);
	test_cache_end(test, cache, 1);
}

/* ------------------------------------------------------- callers' mistakes -- */

static void cache_null_arguments_reported(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	unsigned long reports = usage_bugs();
	int obj;

	KUNIT_EXPECT_NULL(test, mpslab_cache_alloc(NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	KUNIT_EXPECT_NULL(test, mpslab_cache_alloc_node(NULL, GFP_KERNEL, 0));
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	mpslab_cache_free(NULL, &obj);
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	mpslab_cache_free(cache, NULL);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->errors[ERROR_ARGUMENT]), 1L);
	KUNIT_EXPECT_EQ(test, 0, mpslab_cache_alloc_bulk(cache, GFP_KERNEL, 1,
							 NULL));
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	mpslab_cache_free_bulk(cache, 1, NULL);
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	KUNIT_EXPECT_EQ(test, mpslab_cache_size(NULL), 0U);
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, usage_bugs(), ++reports);
	test_cache_end(test, cache, (long)cache_errors(cache));
}

/* Else the wiping would go beyond the object's end. */
static void free_inside_an_object_wipes_nothing(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	unsigned int size = cache->object_size;
	void *objs[2];

	cache->init_on_free = true;
	cache_set_work(cache, false);
	take_objects(test, cache, objs, 2);
	memset(objs[0], 0xa5, size);
	mpslab_cache_free(cache, objs[0] + sizeof(long));
	KUNIT_EXPECT_NULL(test, memchr_inv(objs[0], 0xa5, size));
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 1L);
	expect_balanced(test, cache, 2);
	mpslab_cache_free_bulk(cache, 2, objs);
	KUNIT_EXPECT_TRUE(test, free_memory_is(objs[0], 0, size));
	test_cache_end(test, cache, 1);
}

/*
 * The second free is found when both have come home; until then there is
 * another object in use, so that no count becomes less than nothing.
 */
static void free_twice_found_when_it_comes_home(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	struct cache_balance b;
	void *objs[3];

	take_objects(test, cache, objs, 3);
	give_objects(cache, objs, 1);
	give_objects(cache, objs + 2, 1);
	give_objects(cache, objs, 1);
	cpu_cache_drain_local(cache);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 1L);
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, b.off, 0L);
	KUNIT_EXPECT_EQ(test, b.in_use, 1UL);
	give_objects(cache, objs + 1, 1);
	test_cache_end(test, cache, 1);
}

/* The commonest way to do it costs no look at the slab. */
static void free_twice_in_a_row_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *obj;

	take_objects(test, cache, &obj, 1);
	mpslab_cache_free(cache, obj);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, 1L,
			atomic_long_read(&cache->errors[ERROR_DOUBLE_FREE]));
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 1);
}

static void free_twice_with_array_closed_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	void *obj;

	take_objects(test, cache, &obj, 1);
	preempt_disable();
	here(cache)->gate = 0;
	mpslab_cache_free(cache, obj);
	mpslab_cache_free(cache, obj);
	here(cache)->gate = here(cache)->ac.limit;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, home(cache)->frees, 1UL);
	test_cache_end(test, cache, 1);
}

/* Where a free is a mere push, too: such an address is never in an array. */
static void free_of_users_address_refused_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	void *objs[2] = { (void *)PAGE_SIZE, (void *)(PAGE_OFFSET - 1) };

	cache->numa = false;
	cache_set_work(cache, false);
	mpslab_cache_free(cache, objs[0]);
	mpslab_cache_free_bulk(cache, 2, objs);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 3L);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, 0U);
	test_cache_end(test, cache, 3);
}

static void free_to_other_cache_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	struct mpslab_cache *other = test_cache_quiet(test);
	void *obj;

	take_objects(test, cache, &obj, 1);
	mpslab_cache_free(other, obj);
	cpu_cache_drain_local(other);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(other), 1L);
	KUNIT_EXPECT_FALSE(test, slab_has_free(cache, obj));
	expect_balanced(test, cache, 1);
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 0);
	test_cache_end(test, other, 1);
}

/* Where every object is wiped or sent home, it is looked at before that. */
static void free_with_work_of_other_cache_leaves_it_alone(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	struct mpslab_cache *other = test_cache_quiet(test);
	void *obj;

	other->init_on_free = true;
	cache_set_work(other, false);
	take_objects(test, cache, &obj, 1);
	stamp_take(obj, STAMPED_SIZE, 1);
	mpslab_cache_free(other, obj);
	stamp_give(obj, STAMPED_SIZE, 1);
	expect_stamps(test);
	KUNIT_EXPECT_EQ(test, here(other)->ac.avail, 0U);
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 0);
	test_cache_end(test, other, 1);
}

static struct kunit_case slab_cache_cases[] = {
	KUNIT_CASE(cache_alloc_free_any_order_keeps_content),
	KUNIT_CASE(cache_random_use_keeps_the_books),
	KUNIT_CASE(cache_alloc_takes_the_newest),
	KUNIT_CASE(cache_alloc_zero_zeroes_used_objects),
	KUNIT_CASE(cache_init_on_alloc_and_free_wipe),
	KUNIT_CASE(cache_alloc_zero_with_ctor_refused),
	KUNIT_CASE(cache_ctor_runs_once_per_object),
	KUNIT_CASE(refill_takes_shared_first),
	KUNIT_CASE(refill_takes_partial_before_free),
	KUNIT_CASE(refill_takes_free_before_growing),
	KUNIT_CASE(refill_untouched_array_takes_few),
	KUNIT_CASE(refill_short_lists_serves_what_is_there),
	KUNIT_CASE(grow_fills_array_then_node),
	KUNIT_CASE(grow_failing_anywhere_loses_nothing),
	KUNIT_CASE(alloc_without_memory_serves_what_is_free),
	KUNIT_CASE(flush_moves_the_oldest_to_shared),
	KUNIT_CASE(flush_shared_full_goes_to_slabs),
	KUNIT_CASE(flush_shared_short_of_room_splits_the_batch),
	KUNIT_CASE(flush_sifts_out_wrong_frees),
	KUNIT_CASE(free_limit_returns_slabs_above_it),
	KUNIT_CASE(free_stats_count_every_step),
	KUNIT_CASE(bulk_alloc_gives_all_distinct),
	KUNIT_CASE(bulk_alloc_none_returns_zero),
	KUNIT_CASE(bulk_alloc_failing_anywhere_is_all_or_nothing),
	KUNIT_CASE(bulk_free_more_than_the_array_holds),
	KUNIT_CASE(bulk_free_null_between_frees_the_others),
	KUNIT_CASE(cache_null_arguments_reported),
	KUNIT_CASE(free_inside_an_object_wipes_nothing),
	KUNIT_CASE(free_twice_found_when_it_comes_home),
	KUNIT_CASE(free_twice_in_a_row_refused),
	KUNIT_CASE(free_twice_with_array_closed_refused),
	KUNIT_CASE(free_of_users_address_refused_at_once),
	KUNIT_CASE(free_to_other_cache_refused),
	KUNIT_CASE(free_with_work_of_other_cache_leaves_it_alone),
	{}
};

static struct kunit_suite slab_cache_suite = {
	.name = "mpslab_slab_cache",
	.test_cases = slab_cache_cases,
};

kunit_test_suite(slab_cache_suite);
