// SPDX-License-Identifier: GPL-2.0
/*
 * Resizing a pool, and what it does when something fails or comes in between.
 * The hooks of the backend put other callers at the very points where resize
 * holds no lock, so that each of its races happens here every time; the storms
 * of mempool_race_kunit.c then look for those that nobody thought of.
 */

#include <linux/sched/signal.h>

#include "fixtures.h"
#include "pool_fixture.h"

static int resize(struct pool_test *pt, int new_min_nr)
{
	return mpslab_pool_resize(&pt->pool, new_min_nr);
}

/* The reserve, and what the backend has given out in all. */
static void expect_sizes(struct pool_test *pt, int min_nr, int curr_nr,
			 unsigned int live)
{
	KUNIT_EXPECT_EQ(pt->test, min_nr, pt->pool.min_nr);
	KUNIT_EXPECT_EQ(pt->test, curr_nr, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(pt->test, live, pt->be.live);
}

/* The reserve can be taken as a whole, and brought back. */
static void expect_usable(struct pool_test *pt, unsigned int nr)
{
	void *e[32];

	KUNIT_ASSERT_LE(pt->test, nr, 32U);
	pool_exhaust(pt, e, nr);
	KUNIT_EXPECT_NULL(pt->test, pool_get(pt, GFP_NOWAIT));
	pool_put_many(pt, e, nr);
	KUNIT_EXPECT_EQ(pt->test, (int)nr, pt->pool.curr_nr);
	backend_open(&pt->be);
}

/* ----------------------------------------------------------------- sizes -- */

static void mempool_resize_grow_fills_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 2);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 20));
	expect_sizes(pt, 20, 20, 20);
	KUNIT_EXPECT_EQ(test, 18U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 20, pt->pool.low_water);
	expect_usable(pt, 20);
}

/* It may reclaim and do I/O, but is not worth a kill or a splat. */
static void mempool_resize_grow_may_reclaim(struct kunit *test)
{
	gfp_t expected = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 2));
	KUNIT_EXPECT_EQ(test, (__force u32)expected,
			(__force u32)pt->be.gfp[0]);
}

static void mempool_resize_grow_keeps_room_for_outstanding(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 4);
	e[0] = pool_get_reserved(pt);
	e[1] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 8));
	expect_sizes(pt, 8, 6, 8);
	pool_put_many(pt, e, 2);
	expect_sizes(pt, 8, 8, 8);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
}

static void mempool_resize_shrink_frees_surplus(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 20);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 3));
	expect_sizes(pt, 3, 3, 3);
	KUNIT_EXPECT_EQ(test, 3, pt->pool.low_water);
	expect_usable(pt, 3);
}

static void mempool_resize_shrink_with_outstanding_frees_rest(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];
	int i;

	pool_start(pt, 4);
	for (i = 0; i < 3; i++)
		e[i] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 2));
	expect_sizes(pt, 2, 1, 4);
	pool_put_many(pt, e, 3);
	expect_sizes(pt, 2, 2, 2);
}

/* One element stays, see mempool_pool_of_none_keeps_one(). */
static void mempool_resize_to_zero_and_back(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 0));
	expect_sizes(pt, 0, 1, 1);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_initialized(&pt->pool));
	expect_usable(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 4));
	expect_sizes(pt, 4, 4, 4);
	expect_usable(pt, 4);
}

static void mempool_resize_from_none_grows(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	int size;

	for (size = 1; size < 4; size++) {
		pool_start(pt, 0);
		KUNIT_EXPECT_EQ(test, 0, resize(pt, size));
		KUNIT_EXPECT_EQ_MSG(test, size - 1U, pt->be.calls,
				    "more than what was missing");
		expect_sizes(pt, size, size, size);
		expect_usable(pt, size);
		mpslab_pool_exit(&pt->pool);
	}
}

static void mempool_resize_to_same_changes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 4));
	expect_sizes(pt, 4, 4, 4);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
}

static void mempool_resize_negative_returns_einval(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, resize(pt, -1));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, resize(pt, INT_MIN));
	expect_sizes(pt, 4, 4, 4);
	expect_usable(pt, 4);
}

static void mempool_resize_up_and_down_keeps_elements(struct kunit *test)
{
	static const int sizes[] = { 7, 3, 30, 1, 30, 0, 2, 16, 15, 17, 4 };
	struct pool_test *pt = test->priv;
	unsigned int i;
	void *held;
	int kept;

	pool_start(pt, 4);
	held = pool_get(pt, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		kept = max(sizes[i], 1);
		KUNIT_EXPECT_EQ(test, 0, resize(pt, sizes[i]));
		expect_sizes(pt, sizes[i], kept, kept + 1);
		expect_usable(pt, kept);
	}
	pool_put(pt, held);
}

static void resize_after_low_water(struct pool_test *pt, int new_min_nr)
{
	void *e[3];

	pool_start(pt, 3);
	pool_exhaust(pt, e, 3);
	pool_put_many(pt, e, 3);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(pt->test, 0, pt->pool.low_water);
	KUNIT_EXPECT_EQ(pt->test, 0, resize(pt, new_min_nr));
	KUNIT_EXPECT_EQ(pt->test, new_min_nr, pt->pool.low_water);
	e[0] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(pt->test, new_min_nr - 1, pt->pool.low_water);
	pool_put(pt, e[0]);
}

static void mempool_resize_grow_starts_low_water_afresh(struct kunit *test)
{
	resize_after_low_water(test->priv, 5);
}

static void mempool_resize_shrink_starts_low_water_afresh(struct kunit *test)
{
	resize_after_low_water(test->priv, 2);
}

/* --------------------------------------------------------------- failures -- */

static void mempool_resize_failing_element_changes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int i;

	pool_start(pt, 4);
	for (i = 1; i <= 6; i++) {
		backend_forget(&pt->be);
		pt->be.fail_call = i;
		KUNIT_EXPECT_EQ(test, -ENOMEM, resize(pt, 10));
		expect_sizes(pt, 4, 4, 4);
		expect_usable(pt, 4);
	}
	pt->be.fail_call = 0;
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 10));
	expect_sizes(pt, 10, 10, 10);
}

static void mempool_resize_closed_backend_changes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 4);
	e = pool_get_reserved(pt);
	backend_close(&pt->be);
	KUNIT_EXPECT_EQ(test, -ENOMEM, resize(pt, 5));
	expect_sizes(pt, 4, 3, 4);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 3));
	pool_put(pt, e);
	expect_sizes(pt, 3, 3, 3);
}

/* A kernel thread, so it has to ask for signals. */
static int how_resize(struct waiter_thread *w)
{
	allow_signal(SIGKILL);
	return resize(w->pt, 10);
}

static void kill_amid_growth(struct test_backend *be, gfp_t gfp)
{
	if (be->calls == 2)
		send_sig(SIGKILL, current, 1);
}

static void mempool_resize_killed_changes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	pt->be.on_alloc = kill_amid_growth;
	pt->how = how_resize;
	waiter_launch(pt, GFP_KERNEL, 0);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, -EINTR, pt->waiter[0].ret);
	KUNIT_EXPECT_EQ(test, 3U, pt->be.calls);
	pt->be.on_alloc = NULL;
	expect_sizes(pt, 4, 4, 4);
	expect_usable(pt, 4);
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 10));
	expect_sizes(pt, 10, 10, 10);
}

static void mempool_resize_huge_returns_enomem(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 2);
	KUNIT_EXPECT_EQ(test, -ENOMEM, resize(pt, INT_MAX));
	expect_sizes(pt, 2, 2, 2);
	expect_usable(pt, 2);
}

static void mempool_resize_failing_memory_changes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int nth = 0, failures = 0;
	int err;

	need_fail_nth(test);
	pool_start(pt, 4);
	do {
		fail_nth(++nth);
		err = resize(pt, 24);
		if (!fail_nth_end())
			break;
		/* What only a debug kernel allocates may fail without harm. */
		if (!err) {
			expect_sizes(pt, 24, 24, 24);
			KUNIT_EXPECT_EQ(test, 0, resize(pt, 4));
		} else {
			KUNIT_EXPECT_EQ(test, -ENOMEM, err);
			failures++;
		}
		expect_sizes(pt, 4, 4, 4);
		expect_usable(pt, 4);
	} while (nth < MANY_FAILURES);
	KUNIT_EXPECT_EQ(test, 0, err);
	/* Allocations of the kernel's tools, not the same each time, may hide one. */
	KUNIT_EXPECT_GE_MSG(test, failures,
			    IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) ||
			    IS_ENABLED(CONFIG_KMSAN) ? 1U : 2U,
			    "both arrays can fail");
	expect_sizes(pt, 24, 24, 24);
}

static void mempool_init_failing_memory_leaks_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int nth = 0;
	int err;

	need_fail_nth(test);
	do {
		fail_nth(++nth);
		err = mpslab_pool_init(&pt->pool, 4, backend_alloc,
				       backend_free, &pt->be);
		if (!fail_nth_end())
			break;
		/* What only debugfs wants may fail without harm. */
		if (!err)
			mpslab_pool_exit(&pt->pool);
		else
			KUNIT_EXPECT_EQ(test, -ENOMEM, err);
		KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
		KUNIT_EXPECT_FALSE(test, mpslab_pool_initialized(&pt->pool));
	} while (nth < MANY_FAILURES);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_GT_MSG(test, nth, 1U, "nothing was made to fail");
}

static void mempool_create_failing_memory_leaks_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_pool *pool;
	unsigned int nth = 0;
	bool failed;

	need_fail_nth(test);
	do {
		fail_nth(++nth);
		pool = mpslab_pool_create(4, backend_alloc, backend_free,
					  &pt->be);
		failed = fail_nth_end();
		if (!failed)
			KUNIT_EXPECT_NOT_NULL(test, pool);
		mpslab_pool_destroy(pool);
		KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
	} while (failed && nth < MANY_FAILURES);
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_GT_MSG(test, nth, 1U, "nothing was made to fail");
}

/* ----------------------------------------- others, in the midst of a resize -- */

/* Once, in the middle of a growth: an element of the reserve comes back. */
static void put_amid_growth(struct test_backend *be, gfp_t gfp)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);
	void *e = be->hook_data;

	if (be->calls == 1 && e) {
		be->hook_data = NULL;
		pool_put(pt, e);
	}
}

static void mempool_resize_free_amid_growth_is_kept(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	pt->be.hook_data = pool_get_reserved(pt);
	pt->be.on_alloc = put_amid_growth;
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 8));
	expect_sizes(pt, 8, 8, 8);
	pt->be.on_alloc = NULL;
	expect_usable(pt, 8);
}

/* In every call of a growth: somebody takes one of the old reserve. */
static void take_amid_growth(struct test_backend *be, gfp_t gfp)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);
	void **e = be->hook_data;

	*e = pool_get_reserved(pt);
	be->hook_data = *e ? e + 1 : e;
}

static void mempool_resize_alloc_amid_growth_is_served(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[8] = {};

	pool_start(pt, 2);
	pt->be.hook_data = e;
	pt->be.on_alloc = take_amid_growth;
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 6));
	pt->be.on_alloc = NULL;
	KUNIT_EXPECT_NOT_NULL(test, e[0]);
	KUNIT_EXPECT_NOT_NULL(test, e[1]);
	KUNIT_EXPECT_NULL(test, e[2]);
	expect_sizes(pt, 6, 4, 6);
	pool_put_many(pt, e, 2);
	expect_sizes(pt, 6, 6, 6);
}

/* What the failing growth had got takes the place of what was taken. */
static void mempool_resize_failing_after_alloc_loses_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[8] = {};

	pool_start(pt, 2);
	pt->be.hook_data = e;
	pt->be.on_alloc = take_amid_growth;
	pt->be.fail_call = 4;
	KUNIT_EXPECT_EQ(test, -ENOMEM, resize(pt, 6));
	pt->be.on_alloc = NULL;
	expect_sizes(pt, 2, 2, 4);
	pool_put_many(pt, e, 2);
	expect_sizes(pt, 2, 2, 2);
}

/* In every free of a shrinking: an element of the reserve comes back. */
static void put_amid_shrinking(struct test_backend *be)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);
	void **e = be->hook_data;

	if (e && *e) {
		be->hook_data = e + 1;
		pool_put(pt, *e);
	}
}

static void mempool_resize_free_amid_shrinking_is_freed(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3] = {};

	pool_start(pt, 8);
	e[0] = pool_get_reserved(pt);
	e[1] = pool_get_reserved(pt);
	pt->be.hook_data = e;
	pt->be.on_free = put_amid_shrinking;
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 2));
	pt->be.on_free = NULL;
	expect_sizes(pt, 2, 2, 2);
	expect_usable(pt, 2);
}

/* In every free of a shrinking: somebody takes one of the reserve. */
static void take_amid_shrinking(struct test_backend *be)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);
	void **e = be->hook_data;

	*e = pool_get_reserved(pt);
	be->hook_data = *e ? e + 1 : e;
}

static void mempool_resize_alloc_amid_shrinking_is_served(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[16] = {};
	unsigned int taken;

	pool_start(pt, 8);
	pt->be.hook_data = e;
	pt->be.on_free = take_amid_shrinking;
	KUNIT_EXPECT_EQ(test, 0, resize(pt, 4));
	pt->be.on_free = NULL;
	taken = (void **)pt->be.hook_data - e;
	KUNIT_EXPECT_GT(test, taken, 0U);
	KUNIT_EXPECT_EQ(test, 4, pt->pool.min_nr);
	pool_put_many(pt, e, taken);
	expect_sizes(pt, 4, 4, 4);
	expect_usable(pt, 4);
}

static struct kunit_case mempool_resize_cases[] = {
	KUNIT_CASE(mempool_resize_grow_fills_reserve),
	KUNIT_CASE(mempool_resize_grow_may_reclaim),
	KUNIT_CASE(mempool_resize_grow_keeps_room_for_outstanding),
	KUNIT_CASE(mempool_resize_shrink_frees_surplus),
	KUNIT_CASE(mempool_resize_shrink_with_outstanding_frees_rest),
	KUNIT_CASE(mempool_resize_to_zero_and_back),
	KUNIT_CASE(mempool_resize_from_none_grows),
	KUNIT_CASE(mempool_resize_to_same_changes_nothing),
	KUNIT_CASE(mempool_resize_negative_returns_einval),
	KUNIT_CASE(mempool_resize_up_and_down_keeps_elements),
	KUNIT_CASE(mempool_resize_grow_starts_low_water_afresh),
	KUNIT_CASE(mempool_resize_shrink_starts_low_water_afresh),
	KUNIT_CASE(mempool_resize_failing_element_changes_nothing),
	KUNIT_CASE(mempool_resize_closed_backend_changes_nothing),
	KUNIT_CASE(mempool_resize_killed_changes_nothing),
	KUNIT_CASE(mempool_resize_huge_returns_enomem),
	KUNIT_CASE(mempool_resize_failing_memory_changes_nothing),
	KUNIT_CASE(mempool_init_failing_memory_leaks_nothing),
	KUNIT_CASE(mempool_create_failing_memory_leaks_nothing),
	KUNIT_CASE(mempool_resize_free_amid_growth_is_kept),
	KUNIT_CASE(mempool_resize_alloc_amid_growth_is_served),
	KUNIT_CASE(mempool_resize_failing_after_alloc_loses_nothing),
	KUNIT_CASE(mempool_resize_free_amid_shrinking_is_freed),
	KUNIT_CASE(mempool_resize_alloc_amid_shrinking_is_served),
	{}
};

static struct kunit_suite mempool_resize_suite = {
	.name = "mpslab_mempool_resize",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_resize_cases,
};

kunit_test_suite(mempool_resize_suite);
