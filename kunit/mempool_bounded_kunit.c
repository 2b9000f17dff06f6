// SPDX-License-Identifier: GPL-2.0
/*
 * Waits that end though no element came: by a time limit, by a signal.  Whoever
 * gives up leaves nothing behind, neither a place in the queue nor an element.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define LONG_TIME	(60 * HZ)
#define SHORT_MS	100

static int how_timeout_long(struct waiter_thread *w)
{
	return mpslab_pool_alloc_timeout(&w->pt->pool, w->gfp, LONG_TIME,
					 w->elems);
}

static int how_timeout_short(struct waiter_thread *w)
{
	return mpslab_pool_alloc_timeout(&w->pt->pool, w->gfp,
					 msecs_to_jiffies(SHORT_MS), w->elems);
}

/* A kernel thread, so it has to ask for signals. */
static int how_timeout_signalled(struct waiter_thread *w)
{
	allow_signal(SIGKILL);
	return how_timeout_long(w);
}

static int how_killable(struct waiter_thread *w)
{
	allow_signal(SIGKILL);
	return mpslab_pool_alloc_killable(&w->pt->pool, w->gfp, w->elems);
}

static int how_bulk_short(struct waiter_thread *w)
{
	int err = mpslab_pool_alloc_bulk_timeout(&w->pt->pool, w->elems, w->count,
						 msecs_to_jiffies(SHORT_MS));

	if (err)
		memset(w->elems, 0, sizeof(w->elems));
	return err;
}

static int how_bulk_killable(struct waiter_thread *w)
{
	int err;

	allow_signal(SIGKILL);
	err = mpslab_pool_alloc_bulk_killable(&w->pt->pool, w->elems, w->count);
	if (err)
		memset(w->elems, 0, sizeof(w->elems));
	return err;
}

static void mempool_alloc_timeout_expires(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	u64 start, took;
	void *e, *mine = test;

	start_queue(pt, &e, 1, 0);
	start = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL,
						  msecs_to_jiffies(SHORT_MS),
						  &mine));
	took = ktime_get_ns() - start;
	KUNIT_EXPECT_NULL(test, mine);
	KUNIT_EXPECT_GE(test, took, (SHORT_MS - 20) * (u64)NSEC_PER_MSEC);
	KUNIT_EXPECT_LE(test, took, SOON_MS * (u64)NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	pool_put(pt, e);
	expect_settled(pt, 1);
}

static void mempool_alloc_timeout_of_none_does_not_wait(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e, *mine;

	start_queue(pt, &e, 1, 0);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL, 0,
						  &mine));
	pool_put(pt, e);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL,
							   0, &mine));
	KUNIT_EXPECT_PTR_EQ(test, e, mine);
	mpslab_pool_free(mine, &pt->pool);
	expect_settled(pt, 1);
}

static void mempool_alloc_timeout_is_served(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_timeout_long;
	waiter_start(pt, GFP_KERNEL);
	pool_put(pt, e);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
	KUNIT_EXPECT_PTR_EQ(test, e, pt->waiter[0].elems[0]);
}

/* The backend has recovered, but nobody said so. */
static void mempool_alloc_timeout_asks_backend_at_last(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_timeout_short;
	waiter_start(pt, GFP_KERNEL);
	backend_open(&pt->be);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
	KUNIT_EXPECT_NOT_NULL(test, pt->waiter[0].elems[0]);
	pool_put(pt, e);
}

static void mempool_alloc_bounded_without_reclaim_never_waits(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e, *mine;

	start_queue(pt, &e, 1, 0);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			mpslab_pool_alloc_timeout(&pt->pool, GFP_ATOMIC,
						  LONG_TIME, &mine));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			mpslab_pool_alloc_killable(&pt->pool, GFP_ATOMIC, &mine));
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	pool_put(pt, e);
}

static void mempool_alloc_killable_is_killed(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_killable;
	waiter_start(pt, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, 0, send_sig(SIGKILL, pt->waiter[0].task, 1));
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, -EINTR, pt->waiter[0].ret);
	KUNIT_EXPECT_NULL(test, pt->waiter[0].elems[0]);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	pool_put(pt, e);
	expect_settled(pt, 1);
}

static void mempool_alloc_killable_is_served(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_killable;
	waiter_start(pt, GFP_KERNEL);
	wake_up_process(pt->waiter[0].task);
	let_settle();
	KUNIT_EXPECT_EQ(test, 0U, waiters_served(pt));
	pool_put(pt, e);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
}

/* What he had got by then is the pool's again. */
static void mempool_alloc_bulk_killable_is_killed(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	start_queue(pt, e, 3, 0);
	pt->how = how_bulk_killable;
	waiter_start_bulk(pt, 3);
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_ASSERT_EQ(test, 0, send_sig(SIGKILL, pt->waiter[0].task, 1));
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, -EINTR, pt->waiter[0].ret);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.bulk_waiters);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	pool_put(pt, e[2]);
	expect_settled(pt, 3);
}

static void mempool_alloc_bulk_killable_is_served(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_queue(pt, e, 2, 0);
	pt->how = how_bulk_killable;
	waiter_start_bulk(pt, 2);
	wake_up_process(pt->waiter[0].task);
	pool_put(pt, e[0]);
	let_settle();
	KUNIT_EXPECT_EQ(test, 0U, waiters_served(pt));
	pool_put(pt, e[1]);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
	KUNIT_EXPECT_NOT_NULL(test, pt->waiter[0].elems[0]);
	KUNIT_EXPECT_NOT_NULL(test, pt->waiter[0].elems[1]);
}

/* Who does not want to be killed is not. */
static void mempool_alloc_timeout_is_not_killed(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_timeout_signalled;
	waiter_start(pt, GFP_KERNEL);
	send_sig(SIGKILL, pt->waiter[0].task, 1);
	let_settle();
	KUNIT_EXPECT_EQ(test, 0U, waiters_served(pt));
	pool_put(pt, e);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, 0, pt->waiter[0].ret);
}

/* The first gives up; the second becomes the first, and is served as such. */
static void mempool_waiter_giving_up_leaves_his_place(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 0);
	pt->how = how_timeout_short;
	waiter_start(pt, GFP_KERNEL);
	pt->how = NULL;
	waiter_start(pt, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, pt->waiter[0].ret);
	KUNIT_EXPECT_EQ(test, 1U, pt->pool.nr_waiters);
	pool_put(pt, e);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 2));
	KUNIT_EXPECT_PTR_EQ(test, e, pt->waiter[1].elems[0]);
}

/* What a bulk waiter had got goes to those who wait behind him. */
static void mempool_bulk_giving_up_serves_the_next(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	start_queue(pt, e, 3, 0);
	pt->how = how_bulk_short;
	waiter_start_bulk(pt, 3);
	pt->how = NULL;
	waiter_start(pt, GFP_KERNEL);
	pool_put_many(pt, e, 2);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 2));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, pt->waiter[0].ret);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.bulk_waiters);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	waiter_put(&pt->waiter[1]);
	pool_put(pt, e[2]);
	expect_settled(pt, 3);
}

static void mempool_alloc_bounded_mistakes_are_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e = test;

	pool_start(pt, 1);
	pt->expected_reports += 7;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_killable(&pt->pool, GFP_KERNEL, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_killable(NULL, GFP_KERNEL, &e));
	KUNIT_EXPECT_NULL(test, e);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL, -1, &e));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_timeout(&pt->pool,
						  GFP_KERNEL | __GFP_ZERO, 1, &e));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_bulk_timeout(&pt->pool, &e, 1, -1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_bulk_killable(NULL, &e, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_bulk_killable(&pt->pool, NULL, 1));
}

/* ------------------------------------------------------- the last question -- */

/* For one thread, who asks twice before he waits: it has something after that. */
static void open_for_who_waits(struct test_backend *be, gfp_t gfp)
{
	unsigned int *asked = be->hook_data;

	WRITE_ONCE(be->closed, ++*asked <= 2);
}

/* Runs as soon as he is woken.  Each wait ends with the question, and an element. */
static void asking_member(struct crew_member *me)
{
	struct pool_test *pt = me->data;
	unsigned int *asked = pt->be.hook_data;
	void *e;

	sched_set_fifo(current);
	while (crew_going(me)) {
		*asked = 0;
		if (mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL, 1, &e)) {
			crew_expect(me, *asked > 2);
			continue;
		}
		elem_claim(&pt->be, e, (unsigned long)current);
		pool_put(pt, e);
		me->ops++;
		/* Until the other one has it. */
		while (crew_going(me) && READ_ONCE(pt->pool.curr_nr))
			usleep_range(50, 100);
	}
}

/* On the same CPU: who waits is woken, and it has gone when he comes to run. */
static void teasing_member(struct crew_member *me)
{
	struct pool_test *pt = me->data;
	void *e = NULL;

	while (crew_going(me)) {
		preempt_disable();
		if (e)
			pool_put(pt, e);
		e = pool_get_reserved(pt);
		preempt_enable();
	}
	if (e)
		pool_put(pt, e);
}

/* The moment between his waking up and the end of his time is short, but comes. */
static void mempool_alloc_timeout_woken_in_vain_asks_at_last(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	const struct crew_job jobs[] = {
		{ .fn = asking_member, .data = pt },
		{ .fn = teasing_member, .data = pt },
	};
	unsigned int asked = 3;

	pool_start(pt, 1);
	KUNIT_ASSERT_EQ(test, 0, pool_set_bypass(&pt->pool, BYPASS_US_MAX));
	pt->be.hook_data = &asked;
	pt->be.on_alloc = open_for_who_waits;
	KUNIT_EXPECT_GT(test, crew_run(test, jobs, ARRAY_SIZE(jobs), 1000), 0UL);
	pt->be.on_alloc = NULL;
	KUNIT_EXPECT_GT(test, pt->pool.overtakes, 0ULL);
	expect_settled(pt, 1);
}

/* ------------------------------------------------------------------ races -- */

#define RACE_MS		500
#define ROUNDS		10	/* of them, on a host that hardly runs the guest */
#define RACERS		4

/* Served and given up in the same moment, as often as can be. */
struct race {
	struct pool_test *pt;
	atomic_t outcome[3];	/* served, timed out, killed */
	struct task_struct *task[RACERS];
};

static bool all_outcomes_seen(struct race *r)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(r->outcome); i++)
		if (!atomic_read(&r->outcome[i]))
			return false;
	return true;
}

static int race_once(struct crew_member *me, struct pool_test *pt, void **e,
		     unsigned int *nr)
{
	long timeout = random_below(&me->rnd, 3);

	*nr = 1;
	switch (random_below(&me->rnd, 4)) {
	case 0:
		return mpslab_pool_alloc_timeout(&pt->pool, GFP_KERNEL, timeout,
						 e);
	case 1:
		return mpslab_pool_alloc_killable(&pt->pool, GFP_NOIO, e);
	case 2:
		*nr = 2;
		return mpslab_pool_alloc_bulk_killable(&pt->pool, e, 2);
	default:
		*nr = 2;
		return mpslab_pool_alloc_bulk_timeout(&pt->pool, e, 2, timeout);
	}
}

static void racing_member(struct crew_member *me)
{
	struct race *r = me->data;
	unsigned int i, nr;
	void *e[2];
	int err;

	allow_signal(SIGKILL);
	WRITE_ONCE(r->task[me->index], get_task_struct(current));
	while (crew_going(me)) {
		err = race_once(me, r->pt, e, &nr);
		crew_expect(me, !err || err == -ETIMEDOUT || err == -EINTR);
		atomic_inc(&r->outcome[err == -ETIMEDOUT ? 1 : err ? 2 : 0]);
		if (signal_pending(current))
			flush_signals(current);
		me->ops++;
		if (err)
			continue;
		for (i = 0; i < nr; i++)
			elem_claim(&r->pt->be, e[i], (unsigned long)me);
		/* Until about when the others' time is over. */
		usleep_range(1, 2 * jiffies_to_usecs(1));
		for (i = 0; i < nr; i++) {
			elem_release(&r->pt->be, e[i], (unsigned long)me);
			mpslab_pool_free(e[i], &r->pt->pool);
		}
	}
}

static void killing_member(struct crew_member *me)
{
	struct race *r = me->data;
	struct task_struct *task;

	while (crew_going(me)) {
		task = READ_ONCE(r->task[random_below(&me->rnd, RACERS)]);
		if (task)
			send_sig(SIGKILL, task, 1);
		usleep_range(200, 1000);
	}
}

static void run_race(struct kunit *test, unsigned int bypass_us)
{
	struct race *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct crew_job jobs[RACERS + 1];
	struct pool_test *pt = test->priv;
	unsigned int i, round;

	KUNIT_ASSERT_NOT_NULL(test, r);
	need_cpus(test, 2);
	pool_start(pt, 2);
	KUNIT_ASSERT_EQ(test, 0, pool_set_bypass(&pt->pool, bypass_us));
	backend_close(&pt->be);
	r->pt = pt;
	for (i = 0; i < RACERS; i++)
		jobs[i] = (struct crew_job){ .fn = racing_member, .data = r,
					     .cpu = i };
	jobs[RACERS] = (struct crew_job){ .fn = killing_member, .data = r };
	for (round = 0; round < ROUNDS && !all_outcomes_seen(r); round++) {
		crew_run(test, jobs, ARRAY_SIZE(jobs), RACE_MS);
		for (i = 0; i < RACERS; i++) {
			if (r->task[i])
				put_task_struct(r->task[i]);
			r->task[i] = NULL;
		}
	}
	KUNIT_EXPECT_TRUE_MSG(test, all_outcomes_seen(r),
			      "%d served, %d timed out, %d killed",
			      atomic_read(&r->outcome[0]),
			      atomic_read(&r->outcome[1]),
			      atomic_read(&r->outcome[2]));
	expect_backend_untouched(pt);
	expect_settled(pt, 2);
}

static void mempool_race_of_end_and_hand_over_loses_nothing(struct kunit *test)
{
	run_race(test, 0);
}

static void mempool_race_of_end_and_bypass_loses_nothing(struct kunit *test)
{
	run_race(test, 2000);
}

static struct kunit_case mempool_bounded_cases[] = {
	KUNIT_CASE(mempool_alloc_timeout_expires),
	KUNIT_CASE(mempool_alloc_timeout_of_none_does_not_wait),
	KUNIT_CASE(mempool_alloc_timeout_is_served),
	KUNIT_CASE(mempool_alloc_timeout_asks_backend_at_last),
	KUNIT_CASE(mempool_alloc_bounded_without_reclaim_never_waits),
	KUNIT_CASE(mempool_alloc_killable_is_killed),
	KUNIT_CASE(mempool_alloc_killable_is_served),
	KUNIT_CASE(mempool_alloc_bulk_killable_is_killed),
	KUNIT_CASE(mempool_alloc_bulk_killable_is_served),
	KUNIT_CASE(mempool_alloc_timeout_is_not_killed),
	KUNIT_CASE(mempool_waiter_giving_up_leaves_his_place),
	KUNIT_CASE(mempool_bulk_giving_up_serves_the_next),
	KUNIT_CASE(mempool_alloc_bounded_mistakes_are_refused),
	KUNIT_CASE(mempool_alloc_timeout_woken_in_vain_asks_at_last),
	KUNIT_CASE(mempool_race_of_end_and_hand_over_loses_nothing),
	KUNIT_CASE(mempool_race_of_end_and_bypass_loses_nothing),
	{}
};

static struct kunit_suite mempool_bounded_suite = {
	.name = "mpslab_mempool_bounded",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_bounded_cases,
};

kunit_test_suite(mempool_bounded_suite);
