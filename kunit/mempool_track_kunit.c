// SPDX-License-Identifier: GPL-2.0
/* Who holds the reserve's elements, and what tracking finds out about frees. */

#include <linux/delay.h>
#include <linux/kmsg_dump.h>
#include <linux/string.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define HOLDERS		8

static struct pool_holder_info *holders(struct kunit *test, unsigned int expected)
{
	struct pool_holder_info *info;
	struct pool_test *pt = test->priv;
	u64 missed;

	info = kunit_kzalloc(test, HOLDERS * sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_ASSERT_EQ(test, expected,
			pool_holders(&pt->pool, info, HOLDERS, &missed));
	KUNIT_EXPECT_EQ(test, 0ULL, missed);
	return info;
}

/* Not all do: UML without frame pointers has none. */
static bool kernel_has_stacks(void)
{
	unsigned long stack[4];

	return compat_stack_trace(stack, ARRAY_SIZE(stack), 0) > 1;
}

static void start_tracked(struct pool_test *pt, int min_nr)
{
	pool_start(pt, min_nr);
	KUNIT_ASSERT_EQ(pt->test, 0, pool_track(&pt->pool, true));
}

static void mempool_holders_lists_takers_of_the_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct pool_holder_info *info;
	void *e[3];

	start_tracked(pt, 2);
	e[2] = pool_get(pt, GFP_KERNEL);	/* the backend's */
	holders(test, 0);
	backend_close(&pt->be);
	e[0] = pool_get(pt, GFP_KERNEL);
	msleep(20);
	e[1] = pool_get_reserved(pt);
	info = holders(test, 2);
	KUNIT_EXPECT_STREQ(test, current->comm, info[0].comm);
	KUNIT_EXPECT_EQ(test, current->pid, info[0].pid);
	KUNIT_EXPECT_GT(test, info[0].held_ns, info[1].held_ns);
	KUNIT_EXPECT_GE(test, info[0].held_ns, 10ULL * NSEC_PER_MSEC);
	if (kernel_has_stacks())
		KUNIT_EXPECT_GT(test, info[0].stack_nr, 1U);
	pool_put(pt, e[0]);
	holders(test, 1);
	pool_put(pt, e[2]);
	holders(test, 1);
	/* The reserve is full, so this one goes to the backend. */
	pool_put(pt, e[1]);
	holders(test, 0);
	expect_settled(pt, 2);
}

static void mempool_holders_lists_who_was_handed_one(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct pool_holder_info *info;
	void *e[2];

	start_tracked(pt, 2);
	pool_exhaust(pt, e, 2);
	waiter_start(pt, GFP_KERNEL);
	waiter_start_bulk(pt, 1);
	pool_put_many(pt, e, 2);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 2));
	info = holders(test, 2);
	KUNIT_EXPECT_EQ(test, 2, (info[0].pid == pt->waiter[0].task->pid) +
				 (info[0].pid == pt->waiter[1].task->pid) +
				 (info[1].pid == pt->waiter[0].task->pid) +
				 (info[1].pid == pt->waiter[1].task->pid));
}

/* Of a bulk, part comes from the backend while the rest is waited for. */
static void mempool_holders_of_bulk_are_the_reserves_only(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	start_tracked(pt, 4);
	pt->be.close_call = pt->be.calls + 3;
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, e, 4));
	holders(test, 2);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, 2U, mpslab_pool_free_bulk(&pt->pool, e, 4));
	holders(test, 0);
	backend_free(e[2], &pt->be);
	backend_free(e[3], &pt->be);
	expect_settled(pt, 4);
}

static void mempool_waiters_have_stacks_when_tracked(struct kunit *test)
{
	struct pool_waiter_info *info;
	struct pool_test *pt = test->priv;
	void *e;

	info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info);
	start_tracked(pt, 1);
	pool_exhaust(pt, &e, 1);
	waiter_start(pt, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, 1U, pool_waiters(&pt->pool, info, 1));
	if (kernel_has_stacks())
		KUNIT_EXPECT_GT(test, info->stack_nr, 1U);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

static void mempool_free_twice_to_reserve_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *again;

	start_tracked(pt, 3);
	pool_exhaust(pt, e, 3);
	pool_put(pt, e[0]);
	pool_put(pt, e[1]);
	EXPECT_REPORT(pt);
	mpslab_pool_free(e[0], &pt->pool);
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.bad_frees);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	again = pool_get(pt, GFP_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, again);
	pool_put(pt, again);
	pool_put(pt, e[2]);
	expect_settled(pt, 3);
}

/* Put or refused, the caller has no business with it; the rest is his. */
static void mempool_free_bulk_twice_to_reserve_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *other, *bulk[4];
	int i;

	start_tracked(pt, 3);
	other = pool_get(pt, GFP_KERNEL);	/* the backend's */
	pool_exhaust(pt, e, 3);
	pool_put(pt, e[0]);
	for (i = 1; i < 3; i++)
		elem_release(&pt->be, e[i], (unsigned long)current);
	elem_release(&pt->be, other, (unsigned long)current);
	pt->expected_reports += 2;
	bulk[0] = e[1];
	bulk[1] = e[0];
	bulk[2] = e[1];
	bulk[3] = e[2];
	KUNIT_EXPECT_EQ(test, 4U, mpslab_pool_free_bulk(&pt->pool, bulk, 4));
	KUNIT_EXPECT_EQ(test, 2ULL, pt->pool.bad_frees);
	KUNIT_EXPECT_EQ(test, 3, pt->pool.curr_nr);

	/* The reserve is full, so this one is not needed. */
	EXPECT_REPORT(pt);
	bulk[0] = other;
	bulk[1] = e[2];
	KUNIT_EXPECT_EQ(test, 1U, mpslab_pool_free_bulk(&pt->pool, bulk, 2));
	KUNIT_EXPECT_PTR_EQ(test, bulk[1], other);
	KUNIT_EXPECT_EQ(test, 3ULL, pt->pool.bad_frees);
	backend_free(other, &pt->be);
	expect_settled(pt, 3);
}

static void mempool_free_bulk_of_null_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	pool_start(pt, 2);
	pool_exhaust(pt, e + 1, 2);
	e[0] = NULL;
	elem_release(&pt->be, e[1], (unsigned long)current);
	elem_release(&pt->be, e[2], (unsigned long)current);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, 3U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.bad_frees);
	expect_settled(pt, 2);
}

/* Nothing is tracked; but what came last can be seen. */
static void mempool_free_twice_in_a_row_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	pool_start(pt, 3);
	pool_exhaust(pt, e, 3);
	pool_put(pt, e[0]);
	EXPECT_REPORT(pt);
	mpslab_pool_free(e[0], &pt->pool);
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.bad_frees);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	pool_put(pt, e[1]);
	EXPECT_REPORT(pt);
	mpslab_pool_free(e[1], &pt->pool);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	pool_put(pt, e[2]);
	expect_settled(pt, 3);
}

static void mempool_free_bulk_twice_in_a_row_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3], *bulk[4];
	int i;

	pool_start(pt, 3);
	pool_exhaust(pt, e, 3);
	pool_put(pt, e[0]);
	for (i = 1; i < 3; i++)
		elem_release(&pt->be, e[i], (unsigned long)current);
	pt->expected_reports += 2;
	bulk[0] = e[0];
	bulk[1] = e[1];
	bulk[2] = e[1];
	bulk[3] = e[2];
	KUNIT_EXPECT_EQ(test, 4U, mpslab_pool_free_bulk(&pt->pool, bulk, 4));
	KUNIT_EXPECT_EQ(test, 2ULL, pt->pool.bad_frees);
	expect_settled(pt, 3);
}

static void expect_frees(struct pool_test *pt, u64 frees, s64 outstanding)
{
	struct pool_counts c;

	pool_counts(&pt->pool, &c);
	KUNIT_EXPECT_EQ(pt->test, frees, c.frees);
	KUNIT_EXPECT_EQ(pt->test, outstanding, c.outstanding);
}

/* What the pool does not need is the caller's, and NULL is still no element. */
static void mempool_free_bulk_of_null_to_full_reserve_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3] = {}, *kept;

	pool_start(pt, 2);
	kept = pool_get(pt, GFP_KERNEL);
	e[1] = pool_get(pt, GFP_KERNEL);
	elem_release(&pt->be, e[1], (unsigned long)current);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, 0U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	backend_free(e[1], &pt->be);
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.bad_frees);
	expect_frees(pt, 1, 1);
	pool_put(pt, kept);
	expect_settled(pt, 2);
}

static void mempool_free_bulk_of_null_in_the_rest_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3] = {};

	pool_start(pt, 2);
	e[0] = pool_get_reserved(pt);
	e[1] = pool_get(pt, GFP_KERNEL);
	elem_release(&pt->be, e[0], (unsigned long)current);
	elem_release(&pt->be, e[1], (unsigned long)current);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, 1U, mpslab_pool_free_bulk(&pt->pool, e, 3));
	backend_free(e[1], &pt->be);
	KUNIT_EXPECT_EQ(test, 1ULL, pt->pool.bad_frees);
	expect_frees(pt, 2, 0);
	expect_settled(pt, 2);
}

static void mempool_track_off_forgets(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_tracked(pt, 2);
	pool_exhaust(pt, e, 2);
	holders(test, 2);
	KUNIT_EXPECT_EQ(test, 0, pool_track(&pt->pool, false));
	holders(test, 0);
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.slow);
	expect_settled(pt, 2);
}

/* Somebody sees that it is on before he sees the table, or after it has gone. */
static void mempool_track_without_table_notes_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 2);
	pool_set_slow(&pt->pool, POOL_SLOW_TRACK, true);
	pool_exhaust(pt, e, 2);
	holders(test, 0);
	pool_put_many(pt, e, 2);
	expect_settled(pt, 2);
}

static void mempool_holders_beyond_the_room_are_counted(struct kunit *test)
{
	struct pool_holder_info info[2] = {};
	struct pool_test *pt = test->priv;
	void *e[3];
	u64 missed;

	start_tracked(pt, 3);
	pool_exhaust(pt, e, 3);
	info[1].pid = -1;
	KUNIT_EXPECT_EQ(test, 3U, pool_holders(&pt->pool, info, 1, &missed));
	KUNIT_EXPECT_EQ(test, current->pid, info[0].pid);
	KUNIT_EXPECT_EQ_MSG(test, -1, info[1].pid, "wrote beyond the end");
	KUNIT_EXPECT_EQ(test, 0ULL, missed);
	pool_put_many(pt, e, 3);
	KUNIT_EXPECT_EQ(test, 0U, pool_holders(&pt->pool, info, 1, &missed));
}

/* Reports are limited, and other cases may have used up what is free. */
#define LIMIT_MS	5000
#define TRY_MS		250

/* Does the kernel's log have this, in a line that @at has not passed? */
static bool log_has(struct kunit *test, struct kmsg_dump_iter *at, const char *text)
{
	char *line = kunit_kzalloc(test, 512, GFP_KERNEL);
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, line);
	while (kmsg_dump_get_line(at, false, line, 511, &len)) {
		line[len] = '\0';
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* A pool with one element outstanding, which we have; false if it is not said. */
static bool leave_one(struct kunit *test, struct kmsg_dump_iter *at)
{
	struct pool_test *pt = test->priv;
	bool said;
	void *e;

	start_tracked(pt, 2);
	e = pool_get_reserved(pt);
	KUNIT_ASSERT_NOT_NULL(test, e);
	log_has(test, at, "no such line");
	EXPECT_REPORT(pt);
	mpslab_pool_exit(&pt->pool);
	said = log_has(test, at, "destroyed with 1 element(s) outstanding");
	elem_release(&pt->be, e, (unsigned long)current);
	backend_free(e, &pt->be);
	return said;
}

static void mempool_exit_outstanding_says_who_holds(struct kunit *test)
{
	unsigned long end = jiffies + msecs_to_jiffies(2 * LIMIT_MS);
	struct kmsg_dump_iter at;
	char who[64];
	bool said;

	if (!IS_ENABLED(CONFIG_PRINTK))
		kunit_skip(test, "a kernel without a log");
	kmsg_dump_rewind(&at);
	snprintf(who, sizeof(who), "%s, pid %d, has had an element for ",
		 current->comm, current->pid);
	while (!(said = leave_one(test, &at)) && time_before(jiffies, end))
		msleep(TRY_MS);
	KUNIT_EXPECT_TRUE(test, said);
	KUNIT_EXPECT_TRUE(test, log_has(test, &at, who));
}

#define GROWN		100	/* more than there is room to note of a small reserve */
#define ROOM_MIN	64

static void take_grown(struct pool_test *pt, void **e, u64 expected_missed)
{
	struct pool_holder_info info;
	unsigned int nr;
	u64 missed;

	pool_exhaust(pt, e, GROWN);
	nr = pool_holders(&pt->pool, &info, 1, &missed);
	KUNIT_EXPECT_EQ(pt->test, missed, expected_missed);
	KUNIT_EXPECT_EQ(pt->test, nr + missed, (u64)GROWN);
	pool_put_many(pt, e, GROWN);
	KUNIT_EXPECT_EQ(pt->test, 0U, pool_holders(&pt->pool, &info, 1, &missed));
	backend_open(&pt->be);
}

static void mempool_track_anew_has_room_for_a_larger_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void **e = test_pointers(test, GROWN);

	start_tracked(pt, 2);
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_resize(&pt->pool, GROWN));
	take_grown(pt, e, GROWN - ROOM_MIN);
	KUNIT_ASSERT_EQ(test, 0, pool_track(&pt->pool, false));
	KUNIT_ASSERT_EQ(test, 0, pool_track(&pt->pool, true));
	take_grown(pt, e, 0);
	expect_settled(pt, GROWN);
}

/* ------------------------------------------------------------------ races -- */

static void using_member(struct crew_member *me)
{
	struct pool_test *pt = me->data;
	void *e;

	while (crew_going(me)) {
		e = pool_get(pt, GFP_KERNEL);
		crew_expect(me, e);
		ndelay(random_below(&me->rnd, 2000));
		pool_put(pt, e);
		me->ops++;
	}
}

static void switching_member(struct crew_member *me)
{
	struct pool_test *pt = me->data;
	struct pool_holder_info info;
	u64 missed;
	bool on;

	while (crew_going(me)) {
		on = random_below(&me->rnd, 2);
		crew_expect(me, !pool_track(&pt->pool, on));
		pool_set_slow(&pt->pool, POOL_SLOW_RESERVE_FIRST,
			      random_below(&me->rnd, 2));
		usleep_range(10, 200);
		/* Nobody comes late and is noted for ever. */
		if (!on) {
			crew_expect(me, !pool_holders(&pt->pool, &info, 1, &missed));
			crew_expect(me, !missed);
		}
		me->ops++;
	}
}

static void mempool_track_switched_under_fire_settles(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	const struct crew_job jobs[] = {
		{ using_member, pt, 0 }, { using_member, pt, 1 },
		{ using_member, pt, 0 }, { using_member, pt, 1 },
		{ switching_member, pt, 0 },
	};

	need_cpus(test, 2);
	pool_start(pt, 2);
	backend_close(&pt->be);
	KUNIT_EXPECT_GT(test, crew_run(test, jobs, ARRAY_SIZE(jobs), 300), 0UL);
	KUNIT_EXPECT_EQ(test, 0, pool_track(&pt->pool, true));
	holders(test, 0);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.bad_frees);
	expect_backend_untouched(pt);
	expect_settled(pt, 2);
}

static struct kunit_case mempool_track_cases[] = {
	KUNIT_CASE(mempool_holders_lists_takers_of_the_reserve),
	KUNIT_CASE(mempool_holders_lists_who_was_handed_one),
	KUNIT_CASE(mempool_holders_of_bulk_are_the_reserves_only),
	KUNIT_CASE(mempool_waiters_have_stacks_when_tracked),
	KUNIT_CASE(mempool_free_twice_to_reserve_is_refused),
	KUNIT_CASE(mempool_free_bulk_twice_to_reserve_is_refused),
	KUNIT_CASE(mempool_free_twice_in_a_row_is_refused),
	KUNIT_CASE(mempool_free_bulk_twice_in_a_row_is_refused),
	KUNIT_CASE(mempool_free_bulk_of_null_is_refused),
	KUNIT_CASE(mempool_free_bulk_of_null_to_full_reserve_is_refused),
	KUNIT_CASE(mempool_free_bulk_of_null_in_the_rest_is_refused),
	KUNIT_CASE(mempool_track_off_forgets),
	KUNIT_CASE(mempool_track_without_table_notes_nothing),
	KUNIT_CASE(mempool_holders_beyond_the_room_are_counted),
	KUNIT_CASE(mempool_exit_outstanding_says_who_holds),
	KUNIT_CASE(mempool_track_anew_has_room_for_a_larger_reserve),
	KUNIT_CASE(mempool_track_switched_under_fire_settles),
	{}
};

static struct kunit_suite mempool_track_suite = {
	.name = "mpslab_mempool_track",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_track_cases,
};

kunit_test_suite(mempool_track_suite);
