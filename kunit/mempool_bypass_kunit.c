// SPDX-License-Identifier: GPL-2.0
/*
 * The bounded bypass: who may overtake whom, and for how long.
 *
 * What matters happens between a waiter's being woken and his running.  So that
 * it can be looked at, cases run on the waiters' own CPU and, while they look,
 * with preemption off: whoever is woken meanwhile has to wait.
 */

#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define LONG_US		BYPASS_US_MAX	/* nothing here takes that long */
#define LONG_MS		(LONG_US / USEC_PER_MSEC)
#define SHORT_MS	50

static void pin(struct kunit *test, struct task_struct *task, int cpu)
{
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(task, cpumask_of(cpu)));
}

/* As start_queue(), with a bound, and all on one CPU. */
static void start_pinned(struct pool_test *pt, void **elems, unsigned int nr,
			 unsigned int waiting, unsigned int bypass_us)
{
	unsigned int i;

	pin(pt->test, current, 0);
	start_queue(pt, elems, nr, 0);
	KUNIT_ASSERT_EQ(pt->test, 0, pool_set_bypass(&pt->pool, bypass_us));
	for (i = 0; i < waiting; i++)
		pin(pt->test, waiter_start(pt, GFP_KERNEL)->task, 0);
}

/* By the clock that the pool goes by; a loop is what mdelay() counts. */
static void spin_ms(unsigned int ms)
{
	u64 start = ktime_get_ns();

	while (ktime_get_ns() - start < (u64)ms * NSEC_PER_MSEC)
		cpu_relax();
}

/* -------------------------------------------------------- within the bound -- */

static void mempool_newcomer_overtakes_within_bound(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2], *got[2];
	int left;

	start_pinned(pt, e, 2, 1, LONG_US);
	preempt_disable();
	pool_put_many(pt, e, 2);
	got[0] = pool_get(pt, GFP_ATOMIC);
	got[1] = pool_get_reserved(pt);
	left = pt->pool.curr_nr;
	preempt_enable();
	KUNIT_ASSERT_NOT_NULL(test, got[0]);
	KUNIT_ASSERT_NOT_NULL(test, got[1]);
	KUNIT_EXPECT_EQ(test, 0, left);
	KUNIT_EXPECT_EQ(test, 2ULL, pt->pool.overtakes);
	let_settle();
	expect_served_first(pt, 0);
	pool_put_many(pt, got, 2);
}

/* It is woken once for all that comes before it runs, and takes one of them. */
static void mempool_waiter_takes_what_nobody_overtook(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned long before;
	int waiting, there;
	void *e[3];

	start_pinned(pt, e, 3, 1, LONG_US);
	before = waiter_switches(&pt->waiter[0]);
	preempt_disable();
	pool_put_many(pt, e, 3);
	waiting = pt->pool.nr_waiters;
	there = pt->pool.curr_nr;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, 1, waiting);
	KUNIT_EXPECT_EQ(test, 3, there);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_LE(test, waiter_switches(&pt->waiter[0]), before + 1);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.overtakes);
}

/* And wakes the next, who wakes the next. */
static void mempool_waiter_leaving_wakes_next(struct kunit *test)
{
	unsigned long before;
	struct pool_test *pt = test->priv;
	void *e[3];

	start_pinned(pt, e, 3, 4, LONG_US);
	before = waiter_switches(&pt->waiter[3]);
	preempt_disable();
	pool_put_many(pt, e, 3);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
	let_settle();
	expect_served_first(pt, 3);
	KUNIT_EXPECT_EQ_MSG(test, before, waiter_switches(&pt->waiter[3]),
			    "was woken for nothing");
}

/* In vain, it neither asks the backend nor loses its place or its next chance. */
static void mempool_waiter_woken_in_vain_sleeps_again(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int i;
	void *e, *got;

	start_pinned(pt, &e, 1, 2, LONG_US);
	backend_forget(&pt->be);
	for (i = 0; i < 3; i++) {
		preempt_disable();
		pool_put(pt, e);
		got = pool_get_reserved(pt);
		preempt_enable();
		KUNIT_ASSERT_PTR_EQ(test, e, got);
		let_settle();
		expect_served_first(pt, 0);
		KUNIT_EXPECT_FALSE(test, list_first_entry(&pt->pool.waiters,
							  struct pool_waiter,
							  list)->woken);
	}
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	let_settle();
	expect_served_first(pt, 1);
}

/* What the reserve has no room for is for those behind the first. */
static void mempool_free_beyond_reserve_serves_overtaken(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *first;

	start_pinned(pt, e, 1, 0, LONG_US);
	backend_open(&pt->be);
	e[1] = pool_get(pt, GFP_KERNEL);
	e[2] = pool_get(pt, GFP_KERNEL);
	backend_close(&pt->be);
	pin(test, waiter_start(pt, GFP_KERNEL)->task, 0);
	pin(test, waiter_start(pt, GFP_KERNEL)->task, 0);
	elem_release(&pt->be, e[0], (unsigned long)current);
	elem_release(&pt->be, e[1], (unsigned long)current);
	elem_release(&pt->be, e[2], (unsigned long)current);
	preempt_disable();
	KUNIT_EXPECT_EQ(test, 3U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	first = pt->waiter[0].elems[0];
	KUNIT_EXPECT_PTR_EQ(test, e[1], first);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
}

/* -------------------------------------------------------- beyond the bound -- */

static void mempool_newcomer_may_not_overtake_overdue(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2], *got[2];
	int waiting;

	start_pinned(pt, e, 2, 1, SHORT_MS * USEC_PER_MSEC);
	msleep(2 * SHORT_MS);
	preempt_disable();
	pool_put(pt, e[0]);
	got[0] = pool_get(pt, GFP_ATOMIC);
	got[1] = pool_get_reserved(pt);
	waiting = pt->pool.nr_waiters;
	preempt_enable();
	KUNIT_EXPECT_NULL(test, got[0]);
	KUNIT_EXPECT_NULL(test, got[1]);
	KUNIT_EXPECT_EQ_MSG(test, 0, waiting, "not handed over");
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_PTR_EQ(test, e[0], pt->waiter[0].elems[0]);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.overtakes);
	pool_put(pt, e[1]);
}

/* A waiter that was woken in time and does not run: his in the end, as well. */
static void keep_waiter_from_running(struct kunit *test, unsigned int policy)
{
	struct pool_test *pt = test->priv;
	int waiting, there;
	void *e[2], *got;

	start_pinned(pt, e, 2, 1, LONG_US);
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_set_policy(&pt->pool, policy));
	preempt_disable();
	pool_put_many(pt, e, 2);
	spin_ms(LONG_MS + SHORT_MS);
	got = pool_get(pt, GFP_ATOMIC);
	waiting = pt->pool.nr_waiters;
	there = pt->pool.curr_nr;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, 0, waiting);
	KUNIT_EXPECT_EQ(test, 0, there);
	KUNIT_ASSERT_NOT_NULL_MSG(test, got, "nobody waits for the second");
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.overtakes);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	pool_put(pt, got);
}

static void mempool_waiter_kept_from_running_is_served(struct kunit *test)
{
	keep_waiter_from_running(test, 0);
}

/* Who takes from the reserve first does not take what is a waiter's. */
static void mempool_reserve_first_keeps_the_order(struct kunit *test)
{
	keep_waiter_from_running(test, MPSLAB_POOL_RESERVE_FIRST);
}

/* Who does nothing else is stopped as soon as the first has waited long enough. */
static void mempool_hog_is_stopped_at_the_bound(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned long turns = 0;
	u64 start, waited;
	void *e, *got;

	start_pinned(pt, &e, 1, 0, SHORT_MS * USEC_PER_MSEC);
	pin(test, waiter_start(pt, GFP_KERNEL)->task, 0);
	preempt_disable();
	start = ktime_get_ns();
	do {
		pool_put(pt, e);
		got = pool_get(pt, GFP_ATOMIC);
		turns++;
	} while (got && ktime_get_ns() - start < 20ULL * SHORT_MS * NSEC_PER_MSEC);
	waited = ktime_get_ns() - start;
	preempt_enable();
	KUNIT_EXPECT_NULL_MSG(test, got, "%lu turns, and still in time", turns);
	KUNIT_EXPECT_GT(test, turns, 1UL);
	KUNIT_EXPECT_EQ(test, (u64)turns, pt->pool.overtakes + 1);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	/* A tick may pass until it is seen, and the machine may stop for a while. */
	KUNIT_EXPECT_LT(test, waited, 15ULL * SHORT_MS * NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, pt->pool.longest_wait_ns,
			(u64)SHORT_MS * NSEC_PER_MSEC);
	if (got)
		pool_put(pt, got);
}

/* -------------------------------------------------------------------- bulk -- */

static void mempool_bulk_waiter_is_not_overtaken(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	start_pinned(pt, e, 3, 0, LONG_US);
	waiter_start_bulk(pt, 2);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
	pool_put(pt, e[1]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	pool_put(pt, e[2]);
}

static void mempool_waiters_before_bulk_are_not_overtaken(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *got;

	start_pinned(pt, e, 3, 1, LONG_US);
	waiter_start_bulk(pt, 2);
	preempt_disable();
	pool_put(pt, e[0]);
	got = pool_get(pt, GFP_ATOMIC);
	preempt_enable();
	KUNIT_EXPECT_NULL(test, got);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	expect_served_first(pt, 1);
	pool_put_many(pt, e + 1, 2);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));

	/* Nor does it linger: now one may be overtaken again. */
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.bulk_waiters);
}

/* One element short, as the backend gave it the other. */
static void mempool_bulk_waiter_for_one_is_not_overtaken(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_pinned(pt, e, 2, 0, LONG_US);
	pt->be.open_call = 1;
	waiter_start_bulk(pt, 2);
	pool_put(pt, e[0]);
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_ATOMIC));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	pool_put(pt, e[1]);
}

static bool bulk_may_start;

static void hold_bulk(struct test_backend *be, gfp_t gfp)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);

	if (current != pt->waiter[1].task)
		return;
	while (!READ_ONCE(bulk_may_start))
		cpu_relax();
}

/* It comes while the first is on his way to the reserve. */
static void mempool_bulk_waiter_empties_reserve_in_order(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int waiting, got = 0;
	struct pool_waiter_info info;
	u64 start;
	void *e[3];
	int there;

	need_cpus(test, 2);
	WRITE_ONCE(bulk_may_start, false);
	start_pinned(pt, e, 3, 1, LONG_US);
	pt->be.on_alloc = hold_bulk;
	pin(test, waiter_launch(pt, GFP_KERNEL, 3)->task, 1);
	preempt_disable();
	pool_put_many(pt, e, 2);
	WRITE_ONCE(bulk_may_start, true);
	start = ktime_get_ns();
	while (READ_ONCE(pt->pool.waits) < 2 &&
	       ktime_get_ns() - start < SOON_MS * (u64)NSEC_PER_MSEC)
		cpu_relax();
	there = READ_ONCE(pt->pool.curr_nr);
	waiting = pool_waiters(&pt->pool, &info, 1);
	if (waiting)
		got = info.got;
	preempt_enable();
	pt->be.on_alloc = NULL;
	KUNIT_EXPECT_EQ(test, 0, there);
	KUNIT_EXPECT_EQ(test, 1U, waiting);
	KUNIT_EXPECT_EQ(test, 3U, info.wanted);
	KUNIT_EXPECT_EQ(test, 1U, got);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	expect_served_first(pt, 1);
	pool_put(pt, e[2]);
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
}

/* ------------------------------------------------------------------ the rest -- */

static void mempool_resize_growth_serves_overtaken(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_pinned(pt, e, 2, 5, LONG_US);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&pt->pool, 5));
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 3));
	let_settle();
	expect_served_first(pt, 3);
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 5));
}

static void mempool_bypass_lowered_serves_overdue(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	int waiting, there;
	void *e[2];

	start_pinned(pt, e, 2, 3, LONG_US);
	preempt_disable();
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_EQ(test, 0, pool_set_bypass(&pt->pool, 0));
	waiting = pt->pool.nr_waiters;
	there = pt->pool.curr_nr;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, 1, waiting);
	KUNIT_EXPECT_EQ(test, 0, there);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));
	expect_served_first(pt, 2);
}

static void mempool_bypass_raised_lets_newcomer_overtake(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e, *got;

	start_pinned(pt, &e, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, pool_set_bypass(&pt->pool, LONG_US));
	preempt_disable();
	pool_put(pt, e);
	got = pool_get(pt, GFP_ATOMIC);
	preempt_enable();
	KUNIT_ASSERT_PTR_EQ(test, e, got);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

static void mempool_bypass_out_of_range_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_init(&pt->pool, 1, backend_alloc,
						  backend_free, &pt->be));
	KUNIT_EXPECT_EQ(test, (u32)(BYPASS_US * NSEC_PER_USEC),
			pt->pool.bypass_ns);
	KUNIT_EXPECT_EQ(test, -ERANGE,
			pool_set_bypass(&pt->pool, BYPASS_US_MAX + 1));
	KUNIT_EXPECT_EQ(test, -ERANGE, pool_set_bypass(&pt->pool, UINT_MAX));
	KUNIT_EXPECT_EQ(test, (u32)(BYPASS_US * NSEC_PER_USEC),
			pt->pool.bypass_ns);
	KUNIT_EXPECT_EQ(test, 0, pool_set_bypass(&pt->pool, BYPASS_US_MAX));
}

static void mempool_waiters_shows_overtaken_and_overdue(struct kunit *test)
{
	struct pool_waiter_info info[2];
	struct pool_test *pt = test->priv;
	void *e, *got;

	start_pinned(pt, &e, 1, 1, LONG_US);
	preempt_disable();
	pool_put(pt, e);
	got = pool_get(pt, GFP_ATOMIC);
	preempt_enable();
	KUNIT_ASSERT_PTR_EQ(test, e, got);
	waiter_start(pt, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, 2U, pool_waiters(&pt->pool, info, 2));
	KUNIT_EXPECT_EQ(test, 1ULL, info[0].overtaken);
	KUNIT_EXPECT_EQ(test, 0ULL, info[1].overtaken);
	KUNIT_EXPECT_FALSE(test, info[1].overdue);
	msleep(SHORT_MS);
	KUNIT_EXPECT_EQ(test, 0, pool_set_bypass(&pt->pool, 1));
	KUNIT_ASSERT_EQ(test, 2U, pool_waiters(&pt->pool, info, 2));
	KUNIT_EXPECT_TRUE(test, info[0].overdue);
	pool_put(pt, e);
}

static struct kunit_case mempool_bypass_cases[] = {
	KUNIT_CASE(mempool_newcomer_overtakes_within_bound),
	KUNIT_CASE(mempool_waiter_takes_what_nobody_overtook),
	KUNIT_CASE(mempool_waiter_leaving_wakes_next),
	KUNIT_CASE(mempool_waiter_woken_in_vain_sleeps_again),
	KUNIT_CASE(mempool_free_beyond_reserve_serves_overtaken),
	KUNIT_CASE(mempool_newcomer_may_not_overtake_overdue),
	KUNIT_CASE(mempool_waiter_kept_from_running_is_served),
	KUNIT_CASE(mempool_reserve_first_keeps_the_order),
	KUNIT_CASE(mempool_hog_is_stopped_at_the_bound),
	KUNIT_CASE(mempool_bulk_waiter_is_not_overtaken),
	KUNIT_CASE(mempool_waiters_before_bulk_are_not_overtaken),
	KUNIT_CASE(mempool_bulk_waiter_for_one_is_not_overtaken),
	KUNIT_CASE(mempool_bulk_waiter_empties_reserve_in_order),
	KUNIT_CASE(mempool_resize_growth_serves_overtaken),
	KUNIT_CASE(mempool_bypass_lowered_serves_overdue),
	KUNIT_CASE(mempool_bypass_raised_lets_newcomer_overtake),
	KUNIT_CASE(mempool_bypass_out_of_range_is_refused),
	KUNIT_CASE(mempool_waiters_shows_overtaken_and_overdue),
	{}
};

static struct kunit_suite mempool_bypass_suite = {
	.name = "mpslab_mempool_bypass",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_bypass_cases,
};

kunit_test_suite(mempool_bypass_suite);
