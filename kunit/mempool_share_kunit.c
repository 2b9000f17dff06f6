// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads on few elements: every one of them is served and ends, and in
 * strict order they are served equally often.
 */

#include <linux/delay.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define RACE_MS		300

/**
 * struct queue_race - members that do nothing but queue
 * @pt: pool and backend
 * @nr: members that queue
 * @stop: they should end
 * @held: the reserve, until all of them wait
 * @served: how often each was served from then on
 */
struct queue_race {
	struct pool_test *pt;
	unsigned int nr;
	bool stop;
	void *held[WAITER_ELEMS];
	unsigned long served[POOL_WAITERS];
};

static void queueing_member(struct crew_member *me)
{
	struct queue_race *q = me->data;
	void *e;

	do {
		e = pool_get(q->pt, GFP_KERNEL);
		q->served[me->index]++;
		pool_put(q->pt, e);
	} while (!READ_ONCE(q->stop));
}

/* Lets them start only when all are in the queue, however long it takes. */
static void starting_member(struct crew_member *me)
{
	struct queue_race *q = me->data;
	struct pool_test *pt = q->pt;
	int i, nr = pt->pool.min_nr, patience = 20000;

	while (READ_ONCE(pt->pool.nr_waiters) < q->nr && patience--)
		usleep_range(1000, 2000);
	crew_expect(me, READ_ONCE(pt->pool.nr_waiters) == q->nr);
	for (i = 0; i < nr; i++)
		mpslab_pool_free(q->held[i], &pt->pool);
	msleep(scaled(RACE_MS));
	WRITE_ONCE(q->stop, true);
}

/*
 * All were served.  How evenly shows only if all run on one CPU: where a CPU may
 * stand still for a while, so does a member of it between two turns.
 */
static void expect_shared(struct kunit *test, struct queue_race *q, bool evenly)
{
	unsigned long least = ULONG_MAX, most = 0;
	unsigned int i;

	for (i = 0; i < q->nr; i++) {
		least = min(least, q->served[i]);
		most = max(most, q->served[i]);
	}
	kunit_info(test, "served from %lu to %lu times", least, most);
	KUNIT_EXPECT_GT(test, least, 0UL);
	if (evenly)
		KUNIT_EXPECT_LE(test, most, 3 * least + 8);
}

static void race_for(struct kunit *test, int min_nr, unsigned int nr,
		     unsigned int cpus, unsigned int bypass_us)
{
	struct crew_job jobs[POOL_WAITERS + 1];
	struct pool_test *pt = test->priv;
	struct queue_race *q;
	unsigned int i;

	need_cpus(test, 2);
	q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	pool_start(pt, min_nr);
	KUNIT_ASSERT_EQ(test, 0, pool_set_bypass(&pt->pool, bypass_us));
	backend_close(&pt->be);
	q->pt = pt;
	q->nr = nr;
	for (i = 0; i < min_nr; i++)
		q->held[i] = mpslab_pool_alloc(&pt->pool, GFP_NOWAIT);
	for (i = 0; i < nr; i++)
		jobs[i] = (struct crew_job){
			.fn = queueing_member, .data = q, .cpu = i % cpus
		};
	jobs[nr] = (struct crew_job){
		.fn = starting_member, .data = q, .cpu = 1
	};
	crew_run(test, jobs, nr + 1, RACE_MS);
	expect_shared(test, q, cpus == 1 && !bypass_us);
	expect_backend_untouched(pt);
	expect_settled(pt, min_nr);
}

static void mempool_many_waiters_on_one_element_share(struct kunit *test)
{
	race_for(test, 1, POOL_WAITERS, 2, 0);
}

static void mempool_many_waiters_on_one_cpu_share_evenly(struct kunit *test)
{
	race_for(test, 1, POOL_WAITERS, 1, 0);
}

static void mempool_many_waiters_on_four_elements_share(struct kunit *test)
{
	race_for(test, 4, POOL_WAITERS, 2, 0);
}

static void mempool_few_waiters_on_one_element_share(struct kunit *test)
{
	race_for(test, 1, 3, 2, 0);
}

static void mempool_many_overtaken_on_one_element_share(struct kunit *test)
{
	race_for(test, 1, POOL_WAITERS, 2, BYPASS_US);
}

static void mempool_many_overtaken_on_one_cpu_share(struct kunit *test)
{
	race_for(test, 1, POOL_WAITERS, 1, BYPASS_US);
}

static void mempool_many_overtaken_on_four_elements_share(struct kunit *test)
{
	race_for(test, 4, POOL_WAITERS, 2, BYPASS_US);
}

static struct kunit_case mempool_share_cases[] = {
	KUNIT_CASE(mempool_many_waiters_on_one_element_share),
	KUNIT_CASE(mempool_many_waiters_on_one_cpu_share_evenly),
	KUNIT_CASE(mempool_many_waiters_on_four_elements_share),
	KUNIT_CASE(mempool_few_waiters_on_one_element_share),
	KUNIT_CASE(mempool_many_overtaken_on_one_element_share),
	KUNIT_CASE(mempool_many_overtaken_on_one_cpu_share),
	KUNIT_CASE(mempool_many_overtaken_on_four_elements_share),
	{}
};

static struct kunit_suite mempool_share_suite = {
	.name = "mpslab_mempool_share",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_share_cases,
};

kunit_test_suite(mempool_share_suite);
