// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for an element: who is woken, in which order, and what becomes of
 * elements that come while somebody waits.  Bulk waiters are in
 * mempool_bulk_kunit.c.
 *
 * Time limits tell a wake-up from a waiter's own periodic try: what has to
 * happen at once gets SOON_MS, well below RETRY_MS.
 */

#include <linux/delay.h>

#include "pool_fixture.h"

#define QUEUE	8

/* ------------------------------------------------------- single elements -- */

static void mempool_alloc_empty_waits_for_free(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 1);
	let_settle();
	expect_served_first(pt, 0);
	KUNIT_EXPECT_EQ_MSG(test, 2U, pt->be.calls, "tries before waiting");
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_PTR_EQ(test, e, pt->waiter[0].elems[0]);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	KUNIT_EXPECT_EQ(test, 2U, pt->be.calls);
}

static void mempool_free_wakes_exactly_one(struct kunit *test)
{
	unsigned long before[QUEUE];
	struct pool_test *pt = test->priv;
	void *e;
	int i;

	start_queue(pt, &e, 1, QUEUE);
	for (i = 0; i < QUEUE; i++)
		before[i] = waiter_switches(&pt->waiter[i]);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	let_settle();
	expect_served_first(pt, 1);
	for (i = 1; i < QUEUE; i++)
		KUNIT_EXPECT_EQ_MSG(test, before[i],
				    waiter_switches(&pt->waiter[i]),
				    "thread %d was woken for nothing", i);
}

static void mempool_waiters_served_in_order(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;
	int i;

	start_queue(pt, &e, 1, QUEUE);
	pool_put(pt, e);
	for (i = 0; i < QUEUE; i++) {
		KUNIT_ASSERT_TRUE(test, soon_served(pt, i + 1));
		expect_served_first(pt, i + 1);
		waiter_put(&pt->waiter[i]);
	}
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
}

static void mempool_frees_in_a_row_serve_in_order(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];
	int i;

	start_queue(pt, e, 4, QUEUE);
	pool_put_many(pt, e, 4);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 4));
	let_settle();
	expect_served_first(pt, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_PTR_EQ(test, e[i], pt->waiter[i].elems[0]);
}

static void mempool_alloc_newcomer_does_not_overtake(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 2);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	pool_put(pt, e[1]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	expect_served_first(pt, 2);
}

/* With the backend open, an allocation has no need to queue behind anybody. */
static void mempool_alloc_newcomer_may_use_backend(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 1, 1);
	backend_open(&pt->be);
	e[1] = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, e[1]);
	expect_served_first(pt, 0);
	pool_put(pt, e[1]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_PTR_EQ(test, e[1], pt->waiter[0].elems[0]);
	pool_put(pt, e[0]);
}

static void mempool_waiter_of_pool_of_none_served_by_free(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 0);
	e[1] = pool_get(pt, GFP_KERNEL);
	pool_exhaust(pt, e, 1);
	waiter_start(pt, GFP_KERNEL);
	pool_put(pt, e[1]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_PTR_EQ(test, e[1], pt->waiter[0].elems[0]);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
}

/* Whoever may do I/O but not reclaim must not sleep here either. */
static void mempool_alloc_without_reclaim_never_waits(struct kunit *test)
{
	static const gfp_t flags[] = {
		(__force gfp_t)0, __GFP_IO, __GFP_FS, __GFP_KSWAPD_RECLAIM,
		GFP_KERNEL & ~__GFP_DIRECT_RECLAIM,
	};
	struct pool_test *pt = test->priv;
	unsigned int i;
	void *e;

	start_queue(pt, &e, 1, 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		waiter_launch(pt, flags[i], 0);
		KUNIT_ASSERT_TRUE_MSG(test, soon_served(pt, i + 1), "flags %#x",
				      (__force u32)flags[i]);
		KUNIT_EXPECT_NULL(test, pt->waiter[i].elems[0]);
	}
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	pool_put(pt, e);
}

static void mempool_alloc_noio_waits_too(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	waiter_start(pt, GFP_NOIO);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

/* A wake-up that is not the pool's: the waiter neither leaves nor is lost. */
static void mempool_waiter_survives_stray_wakeup(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;
	int i;

	start_queue(pt, &e, 1, 3);
	for (i = 0; i < 3; i++)
		wake_up_process(pt->waiter[i].task);
	let_settle();
	expect_served_first(pt, 0);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	expect_served_first(pt, 1);
}

/* ------------------------------------------------------ resizing with waiters -- */

static void mempool_resize_to_zero_serves_waiters_still(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 2);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 0));
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
}

static void mempool_resize_growth_serves_as_many_waiters(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, QUEUE);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 5));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
	let_settle();
	expect_served_first(pt, 3);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 5U, pt->be.live);
	pool_put_many(pt, e, 2);
}

static void mempool_resize_growth_beyond_waiters_fills_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[1];

	start_queue(pt, e, 1, 2);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 6));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	KUNIT_EXPECT_EQ(test, 3, pt->pool.curr_nr);
	waiter_put(&pt->waiter[0]);
	waiter_put(&pt->waiter[1]);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 6, pt->pool.curr_nr);
}

static void mempool_resize_growth_completes_bulk_waiter(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	start_queue(pt, e, 3, 0);
	waiter_start_bulk(pt, 3);
	waiter_start(pt, GFP_KERNEL);
	pool_put(pt, e[0]);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 5));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	let_settle();
	expect_served_first(pt, 1);
	pool_put_many(pt, e + 1, 2);
}

/* What a growth got before it failed is of use to those who wait. */
static void mempool_resize_failing_serves_first_waiters(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned long before;
	void *e[2];

	start_queue(pt, e, 2, 3);
	before = waiter_switches(&pt->waiter[2]);
	backend_open(&pt->be);
	pt->be.fail_call = pt->be.calls + 3;
	KUNIT_EXPECT_EQ(test, -ENOMEM, mpslab_pool_resize(&pt->pool, 6));
	backend_close(&pt->be);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	let_settle();
	KUNIT_EXPECT_EQ(test, 2, pt->pool.min_nr);
	KUNIT_EXPECT_EQ(test, before, waiter_switches(&pt->waiter[2]));
	expect_served_first(pt, 2);
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
}

/* --------------------------------------------------------- what can be seen -- */

static void mempool_waiters_lists_queue_in_order(struct kunit *test)
{
	struct pool_waiter_info info[QUEUE];
	struct pool_test *pt = test->priv;
	void *e[2];
	int i;

	start_queue(pt, e, 2, 2);
	waiter_start_bulk(pt, 2);
	msleep(20);
	KUNIT_ASSERT_EQ(test, 3U, pool_waiters(&pt->pool, info, QUEUE));
	for (i = 0; i < 3; i++) {
		struct task_struct *task = pt->waiter[i].task;

		KUNIT_EXPECT_STREQ(test, task->comm, info[i].comm);
		KUNIT_EXPECT_EQ(test, task->pid, info[i].pid);
		KUNIT_EXPECT_EQ(test, i < 2 ? 1U : 2U, info[i].wanted);
		KUNIT_EXPECT_EQ(test, 0U, info[i].got);
		KUNIT_EXPECT_GE(test, info[i].waited_ns, 10ULL * NSEC_PER_MSEC);
		KUNIT_EXPECT_LE(test, info[i].waited_ns, 60ULL * NSEC_PER_SEC);
	}
	pool_put_many(pt, e, 2);
}

static void mempool_waiters_stops_at_max(struct kunit *test)
{
	struct pool_waiter_info info[3] = {};
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 3);
	info[2].pid = -1;
	KUNIT_EXPECT_EQ_MSG(test, 3U, pool_waiters(&pt->pool, info, 2),
			    "who is beyond the room counts, too");
	KUNIT_EXPECT_EQ(test, pt->waiter[0].task->pid, info[0].pid);
	KUNIT_EXPECT_EQ(test, pt->waiter[1].task->pid, info[1].pid);
	KUNIT_EXPECT_EQ_MSG(test, -1, info[2].pid, "wrote beyond the end");
	pool_put(pt, e);
}

static void mempool_waits_counts_and_times(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 1);
	msleep(500);
	pool_put(pt, e[0]);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.waits);
	KUNIT_EXPECT_GE(test, pt->pool.longest_wait_ns, 400ULL * NSEC_PER_MSEC);
	KUNIT_EXPECT_LE(test, pt->pool.longest_wait_ns, 10ULL * NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.low_water);
	waiter_start(pt, GFP_KERNEL);
	pool_put(pt, e[1]);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 2));
	KUNIT_EXPECT_EQ(test, 2ULL, pt->pool.waits);
	KUNIT_EXPECT_GE_MSG(test, pt->pool.longest_wait_ns,
			    400ULL * NSEC_PER_MSEC, "a shorter one replaced it");
}

static void mempool_counts_handed_over_as_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct pool_counts c;
	void *e;

	start_queue(pt, &e, 1, 1);
	pool_put(pt, e);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	pool_counts(&pt->pool, &c);
	KUNIT_EXPECT_EQ(test, 0ULL, c.backend_allocs);
	KUNIT_EXPECT_EQ(test, 2ULL, c.reserve_allocs);
	KUNIT_EXPECT_EQ(test, 1ULL, c.frees);
	KUNIT_EXPECT_EQ(test, 1LL, c.outstanding);
}

/* -------------------------------------------------------- the periodic tries -- */

#define STAGGER_MS	300	/* between the starts of two threads */

/*
 * What the backend does in a thread's periodic try: for the first thread it is
 * open, and an element comes back in the same moment, so that the thread is
 * served twice; for the others it is closed.
 */
static void periodic_script(struct test_backend *be, gfp_t gfp)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);

	if (current != pt->waiter[0].task || !be->hook_data)
		return;
	mpslab_pool_free(be->hook_data, &pt->pool);
	be->hook_data = NULL;
	be->open_call = be->calls + 1;
}

/* The one case that takes seconds; each line depends on those before. */
static void mempool_waiter_tries_backend_periodically(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;
	int i;

	start_queue(pt, &e, 1, 0);
	for (i = 0; i < 4; i++) {
		waiter_start(pt, GFP_KERNEL);
		msleep(STAGGER_MS);
	}
	KUNIT_ASSERT_EQ(test, 8U, pt->be.calls);
	elem_release(&pt->be, e, (unsigned long)current);
	pt->be.hook_data = e;
	pt->be.on_alloc = periodic_script;

	/* Thread 0 is served twice; the surplus goes to 1, before it tries. */
	KUNIT_EXPECT_TRUE(test, soon_called(&pt->be, 9));
	KUNIT_EXPECT_EQ_MSG(test, 0U,
			    (__force u32)(pt->be.gfp[8] &
					  (__GFP_DIRECT_RECLAIM | __GFP_IO)),
			    "reclaim by a waiter, who may get what it waits for");
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	KUNIT_EXPECT_EQ_MSG(test, 9U, pt->be.calls, "1 had to help itself");
	expect_served_first(pt, 2);

	/* Thread 2 tries in vain, and keeps its place. */
	KUNIT_EXPECT_TRUE(test, soon_called(&pt->be, 10));
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
	expect_served_first(pt, 3);

	/* Thread 3 finds the backend open. */
	backend_open(&pt->be);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 4));
	KUNIT_EXPECT_EQ(test, 11U, pt->be.calls);
}

static struct kunit_case mempool_wait_cases[] = {
	KUNIT_CASE(mempool_alloc_empty_waits_for_free),
	KUNIT_CASE(mempool_free_wakes_exactly_one),
	KUNIT_CASE(mempool_waiters_served_in_order),
	KUNIT_CASE(mempool_frees_in_a_row_serve_in_order),
	KUNIT_CASE(mempool_alloc_newcomer_does_not_overtake),
	KUNIT_CASE(mempool_alloc_newcomer_may_use_backend),
	KUNIT_CASE(mempool_waiter_of_pool_of_none_served_by_free),
	KUNIT_CASE(mempool_alloc_without_reclaim_never_waits),
	KUNIT_CASE(mempool_alloc_noio_waits_too),
	KUNIT_CASE(mempool_waiter_survives_stray_wakeup),
	KUNIT_CASE(mempool_resize_to_zero_serves_waiters_still),
	KUNIT_CASE(mempool_resize_growth_serves_as_many_waiters),
	KUNIT_CASE(mempool_resize_growth_beyond_waiters_fills_reserve),
	KUNIT_CASE(mempool_resize_growth_completes_bulk_waiter),
	KUNIT_CASE(mempool_resize_failing_serves_first_waiters),
	KUNIT_CASE(mempool_waiters_lists_queue_in_order),
	KUNIT_CASE(mempool_waiters_stops_at_max),
	KUNIT_CASE(mempool_waits_counts_and_times),
	KUNIT_CASE(mempool_counts_handed_over_as_reserve),
	KUNIT_CASE(mempool_waiter_tries_backend_periodically),
	{}
};

static struct kunit_suite mempool_wait_suite = {
	.name = "mpslab_mempool_wait",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_wait_cases,
};

kunit_test_suite(mempool_wait_suite);
