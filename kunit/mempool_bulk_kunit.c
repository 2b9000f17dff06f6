// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk allocations and frees: what they take and leave, and above all bulk
 * waiters, who collect elements bit by bit and must neither starve nor block
 * each other.
 */

#include "pool_fixture.h"

/* ------------------------------------------------------------------ freeing -- */

/* Take @nr elements for free_bulk(), which checks no hands. */
static void take_for_bulk(struct pool_test *pt, void **elems, unsigned int nr)
{
	while (nr--)
		*elems++ = mpslab_pool_alloc(&pt->pool, GFP_NOWAIT);
}

static void mempool_free_bulk_takes_what_reserve_needs(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[8], *old[8];
	int i;

	pool_start(pt, 3);
	take_for_bulk(pt, e, 5);
	backend_close(&pt->be);
	take_for_bulk(pt, e + 5, 3);
	memcpy(old, e, sizeof(e));

	KUNIT_EXPECT_EQ(test, 3U, mpslab_pool_free_bulk(&pt->pool, e, 8));
	KUNIT_EXPECT_EQ(test, 3, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(e + 3, old + 3, 5 * sizeof(*e)),
			    "touched what it left");
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
	for (i = 3; i < 8; i++)
		backend_free(e[i], &pt->be);
}

static void mempool_free_bulk_full_reserve_takes_none(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2], *old[2];

	pool_start(pt, 3);
	take_for_bulk(pt, e, 2);
	memcpy(old, e, sizeof(e));
	KUNIT_EXPECT_EQ(test, 0U, mpslab_pool_free_bulk(&pt->pool, e, 2));
	KUNIT_EXPECT_EQ(test, 3, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 0, memcmp(e, old, sizeof(e)));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
	backend_free(e[0], &pt->be);
	backend_free(e[1], &pt->be);
}

static void mempool_free_bulk_takes_first_elements(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *got[2];

	pool_start(pt, 2);
	take_for_bulk(pt, e, 1);
	backend_close(&pt->be);
	take_for_bulk(pt, e + 1, 2);
	KUNIT_EXPECT_EQ(test, 2U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	take_for_bulk(pt, got, 2);
	KUNIT_EXPECT_PTR_NE(test, e[2], got[0]);
	KUNIT_EXPECT_PTR_NE(test, e[2], got[1]);
	mpslab_pool_free(got[0], &pt->pool);
	mpslab_pool_free(got[1], &pt->pool);
	backend_free(e[2], &pt->be);
}

static void mempool_free_bulk_of_none_returns_zero(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 1);
	pool_exhaust(pt, &e, 1);
	KUNIT_EXPECT_EQ(test, 0U, mpslab_pool_free_bulk(&pt->pool, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	pool_put(pt, e);
}

static void mempool_free_bulk_serves_waiters_first(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[6];
	int i;

	pool_start(pt, 2);
	for (i = 2; i < 6; i++)
		e[i] = pool_get(pt, GFP_KERNEL);
	pool_exhaust(pt, e, 2);
	for (i = 0; i < 3; i++)
		waiter_start(pt, GFP_KERNEL);
	for (i = 0; i < 6; i++)
		elem_release(&pt->be, e[i], (unsigned long)current);

	KUNIT_EXPECT_EQ(test, 5U, mpslab_pool_free_bulk(&pt->pool, e, 6));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, e[i], pt->waiter[i].elems[0]);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	backend_free(e[5], &pt->be);
}

static void mempool_free_bulk_leaves_others_waiting(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 4);
	elem_release(&pt->be, e[0], (unsigned long)current);
	elem_release(&pt->be, e[1], (unsigned long)current);
	KUNIT_EXPECT_EQ(test, 2U, mpslab_pool_free_bulk(&pt->pool, e, 2));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	let_settle();
	expect_served_first(pt, 2);
}

static void mempool_free_bulk_pool_of_none_serves_waiter(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	pool_start(pt, 0);
	take_for_bulk(pt, e, 2);
	backend_close(&pt->be);
	take_for_bulk(pt, e + 2, 1);
	waiter_start(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 2U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	backend_free(e[2], &pt->be);
}

/* Free @nr elements that the reserve needs and @extra that it doesn't. */
static void free_bulk_of(struct pool_test *pt, unsigned int nr,
			 unsigned int extra)
{
	unsigned int i;
	void *e[104];

	KUNIT_ASSERT_LE(pt->test, nr + extra, (unsigned int)ARRAY_SIZE(e));
	pool_start(pt, nr);
	take_for_bulk(pt, e, extra);
	backend_close(&pt->be);
	take_for_bulk(pt, e + extra, nr);
	KUNIT_ASSERT_EQ(pt->test, nr,
			mpslab_pool_free_bulk(&pt->pool, e, nr + extra));
	KUNIT_EXPECT_EQ(pt->test, (int)nr, pt->pool.curr_nr);
	for (i = nr; i < nr + extra; i++)
		backend_free(e[i], &pt->be);
	mpslab_pool_exit(&pt->pool);
	backend_open(&pt->be);
}

/* However the core divides the work, it is one transfer to the caller. */
static void mempool_free_bulk_many_are_divided_rightly(struct kunit *test)
{
	static const unsigned int counts[] = { 3, 15, 16, 17, 31, 32, 33, 64 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		free_bulk_of(test->priv, counts[i], 0);
		free_bulk_of(test->priv, counts[i], 4);
		free_bulk_of(test->priv, counts[i], 40);
	}
}

/* -------------------------------------------------------------- bulk alloc -- */

static void mempool_alloc_bulk_prefers_backend(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4] = {};
	int i;

	pool_start(pt, 4);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, e, 4));
	KUNIT_EXPECT_EQ(test, 4, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 8U, pt->be.live);
	for (i = 0; i < 4; i++) {
		elem_claim(&pt->be, e[i], (unsigned long)current);
		pool_put(pt, e[i]);
	}
}

static void mempool_alloc_bulk_of_none_returns_zero(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 0);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, NULL, 0));
	pool_put_many(pt, e, 2);
}

static void mempool_alloc_bulk_completes_from_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct waiter_thread *w;
	unsigned int i;

	for (i = 1; i <= 4; i++) {
		pool_start(pt, 4);
		pt->be.close_call = i;
		w = waiter_launch(pt, GFP_KERNEL, 4);
		KUNIT_ASSERT_TRUE(test, soon_served(pt, i));
		KUNIT_EXPECT_EQ(test, 0, w->ret);
		KUNIT_EXPECT_EQ(test, (int)i - 1, pt->pool.curr_nr);
		KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
		waiter_put(w);
		KUNIT_EXPECT_EQ(test, 4, pt->pool.curr_nr);
		mpslab_pool_exit(&pt->pool);
		backend_open(&pt->be);
	}
}

static void mempool_alloc_bulk_closed_takes_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct waiter_thread *w;

	pool_start(pt, 4);
	backend_close(&pt->be);
	w = waiter_launch(pt, GFP_KERNEL, 4);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	waiter_put(w);
}

/* The first try gets two, the second one; @held of the reserve are taken. */
static struct waiter_thread *start_gathering(struct pool_test *pt, void **e,
					     unsigned int held)
{
	unsigned int i;

	pool_start(pt, 4);
	for (i = 0; i < held; i++)
		e[i] = pool_get_reserved(pt);
	pt->be.fail_call = 3;
	pt->be.close_call = 5;
	return waiter_launch(pt, GFP_KERNEL, 4);
}

static void expect_gathered(struct pool_test *pt, struct waiter_thread *w)
{
	unsigned int i;

	KUNIT_ASSERT_TRUE(pt->test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(pt->test, 0, w->ret);
	KUNIT_EXPECT_EQ(pt->test, 5U, pt->be.calls);
	KUNIT_EXPECT_EQ(pt->test, 7U, pt->be.live);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_NOT_NULL(pt->test, w->elems[i]);
}

static void mempool_alloc_bulk_gathers_from_everywhere(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	expect_gathered(pt, start_gathering(pt, e, 3));
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	pool_put_many(pt, e, 3);
}

static void mempool_alloc_bulk_waits_for_the_rest(struct kunit *test)
{
	struct pool_waiter_info info;
	struct pool_test *pt = test->priv;
	struct waiter_thread *w;
	void *e[4];

	w = start_gathering(pt, e, 4);
	KUNIT_ASSERT_TRUE(test, soon_waiting(pt, 1));
	KUNIT_EXPECT_EQ(test, 1U, pool_waiters(&pt->pool, &info, 1));
	KUNIT_EXPECT_EQ(test, 1U, info.wanted - info.got);
	pool_put(pt, e[0]);
	expect_gathered(pt, w);
	pool_put_many(pt, e + 1, 3);
}

/* What is there is set apart for the head of the queue, bit by bit. */
static void mempool_alloc_bulk_waiter_keeps_what_it_has(struct kunit *test)
{
	struct pool_waiter_info info;
	struct pool_test *pt = test->priv;
	void *e[4];
	int i;

	start_queue(pt, e, 4, 0);
	pool_put(pt, e[0]);
	pool_put(pt, e[1]);
	waiter_start_bulk(pt, 4);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	for (i = 2; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, 1U, pool_waiters(&pt->pool, &info, 1));
		KUNIT_EXPECT_EQ(test, 4U, info.wanted);
		KUNIT_EXPECT_EQ(test, (unsigned int)i, info.got);
		KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
		pool_put(pt, e[i]);
	}
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
}

/* What is set apart for it must not wait for reclaim to end. */
static void mempool_alloc_bulk_waiter_does_not_reclaim(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	start_queue(pt, e, 4, 0);
	waiter_start_bulk(pt, 4);
	backend_forget(&pt->be);
	wake_up_process(pt->waiter[0].task);
	KUNIT_ASSERT_TRUE(test, soon_called(&pt->be, 1));
	KUNIT_EXPECT_EQ(test, 0U,
			(__force u32)(pt->be.gfp[0] &
				      (__GFP_DIRECT_RECLAIM | __GFP_IO)));
	pool_put_many(pt, e, 4);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

/* A half-full bulk waiter isn't woken until it has everything. */
static void mempool_free_wakes_bulk_waiter_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned long before;
	void *e[4];

	start_queue(pt, e, 4, 0);
	waiter_start_bulk(pt, 4);
	before = waiter_switches(&pt->waiter[0]);
	pool_put_many(pt, e, 3);
	let_settle();
	KUNIT_EXPECT_EQ(test, before, waiter_switches(&pt->waiter[0]));
	expect_served_first(pt, 0);
	pool_put(pt, e[3]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

static void mempool_alloc_bulk_two_whole_reserves_finish(struct kunit *test)
{
	struct pool_waiter_info info[2];
	struct pool_test *pt = test->priv;
	void *e[4];

	start_queue(pt, e, 4, 0);
	waiter_start_bulk(pt, 4);
	waiter_start_bulk(pt, 4);
	pool_put_many(pt, e, 2);
	KUNIT_ASSERT_EQ(test, 2U, pool_waiters(&pt->pool, info, 2));
	KUNIT_EXPECT_EQ(test, 2U, info[0].got);
	KUNIT_EXPECT_EQ_MSG(test, 0U, info[1].got, "two hold a part each");
	pool_put_many(pt, e + 2, 2);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	expect_served_first(pt, 1);
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	waiter_put(&pt->waiter[1]);
	KUNIT_EXPECT_EQ(test, 4, pt->pool.curr_nr);
}

static void mempool_alloc_bulk_not_starved_by_singles(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];
	int i;

	start_queue(pt, e, 4, 1);
	waiter_start_bulk(pt, 3);
	for (i = 0; i < 3; i++)
		waiter_start(pt, GFP_KERNEL);
	pool_put_many(pt, e, 4);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	let_settle();
	expect_served_first(pt, 2);
	waiter_put(&pt->waiter[1]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 5));
}

/* The reserve has some, but not enough for who came first. */
static void mempool_alloc_single_waits_behind_bulk(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	start_queue(pt, e, 4, 0);
	pool_put_many(pt, e, 3);
	waiter_start_bulk(pt, 4);
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_ATOMIC));
	waiter_start(pt, GFP_KERNEL);
	pool_put(pt, e[3]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	expect_served_first(pt, 1);
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
}

static void mempool_alloc_bulk_beyond_min_nr_reports(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct waiter_thread *w;

	pool_start(pt, 2);
	EXPECT_REPORT(pt);
	w = waiter_launch(pt, GFP_KERNEL, 4);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, w->ret);
	KUNIT_EXPECT_NOT_NULL(test, w->elems[3]);
}

/* One is no more than what a pool without a reserve keeps. */
static void mempool_alloc_bulk_pool_of_none_has_one(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 0);
	backend_close(&pt->be);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, &e, 1));
	elem_claim(&pt->be, e, (unsigned long)current);
	pool_put(pt, e);
}

static void mempool_resize_below_bulk_waiter_does_not_strand(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	start_queue(pt, e, 4, 0);
	waiter_start_bulk(pt, 4);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 1));
	pool_put_many(pt, e + 1, 3);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 3U, pt->be.frees);
}

static struct kunit_case mempool_bulk_cases[] = {
	KUNIT_CASE(mempool_free_bulk_takes_what_reserve_needs),
	KUNIT_CASE(mempool_free_bulk_full_reserve_takes_none),
	KUNIT_CASE(mempool_free_bulk_takes_first_elements),
	KUNIT_CASE(mempool_free_bulk_of_none_returns_zero),
	KUNIT_CASE(mempool_free_bulk_serves_waiters_first),
	KUNIT_CASE(mempool_free_bulk_leaves_others_waiting),
	KUNIT_CASE(mempool_free_bulk_pool_of_none_serves_waiter),
	KUNIT_CASE(mempool_free_bulk_many_are_divided_rightly),
	KUNIT_CASE(mempool_alloc_bulk_prefers_backend),
	KUNIT_CASE(mempool_alloc_bulk_of_none_returns_zero),
	KUNIT_CASE(mempool_alloc_bulk_completes_from_reserve),
	KUNIT_CASE(mempool_alloc_bulk_closed_takes_reserve),
	KUNIT_CASE(mempool_alloc_bulk_gathers_from_everywhere),
	KUNIT_CASE(mempool_alloc_bulk_waits_for_the_rest),
	KUNIT_CASE(mempool_alloc_bulk_waiter_keeps_what_it_has),
	KUNIT_CASE(mempool_alloc_bulk_waiter_does_not_reclaim),
	KUNIT_CASE(mempool_free_wakes_bulk_waiter_once),
	KUNIT_CASE(mempool_alloc_bulk_two_whole_reserves_finish),
	KUNIT_CASE(mempool_alloc_bulk_not_starved_by_singles),
	KUNIT_CASE(mempool_alloc_single_waits_behind_bulk),
	KUNIT_CASE(mempool_alloc_bulk_beyond_min_nr_reports),
	KUNIT_CASE(mempool_alloc_bulk_pool_of_none_has_one),
	KUNIT_CASE(mempool_resize_below_bulk_waiter_does_not_strand),
	{}
};

static struct kunit_suite mempool_bulk_suite = {
	.name = "mpslab_mempool_bulk",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_bulk_cases,
};

kunit_test_suite(mempool_bulk_suite);
