// SPDX-License-Identifier: GPL-2.0
/*
 * Fault plans: what is taken for one, whom it is about, what it does; and that
 * nothing is lost by it.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "fixtures.h"
#include "pool_fixture.h"

/* A set of no cache and no pool, for what is asked by the case itself. */
static struct fault_set set;

#define plan_here	(&set.plan[FAULT_PAGES])

static bool ask(void)
{
	return fault(&set, FAULT_PAGES, GFP_NOWAIT);
}

/* How many of @nr fail; a bit in @which for each of the first 64. */
static unsigned int ask_many(unsigned int nr, u64 *which)
{
	unsigned int i, failed = 0;

	*which = 0;
	for (i = 0; i < nr; i++) {
		if (!ask())
			continue;
		failed++;
		if (i < 64)
			*which |= BIT_ULL(i);
	}
	return failed;
}

static void expect_counts(struct kunit *test, struct fault_plan *plan,
			  unsigned long seen, unsigned long failed,
			  unsigned long delayed)
{
	struct fault_counts counts;

	fault_plan_counts(plan, &counts);
	KUNIT_EXPECT_EQ(test, counts.seen, seen);
	KUNIT_EXPECT_EQ(test, counts.failed, failed);
	KUNIT_EXPECT_EQ(test, counts.delayed, delayed);
}

static int fault_test_init(struct kunit *test)
{
	memset(&set, 0, sizeof(set));
	fault_set_init(&set);
	return pool_test_init(test);
}

static void fault_test_exit(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NR_FAULT_POINTS; i++)
		disarm(&fault_all.plan[i]);
	fault_set_exit(&set);
	pool_test_exit(test);
}

/* --------------------------------------------------------------- what is a plan -- */

static void plan_bad_text_refused(struct kunit *test)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", -EINVAL },
		{ " ", -EINVAL },
		{ "on", -EINVAL },
		{ "off ", -EINVAL },
		{ "nth", -EINVAL },
		{ "nth=", -EINVAL },
		{ "=1", -EINVAL },
		{ "nth=-1", -EINVAL },
		{ "nth=+1", -EINVAL },
		{ "nth=1x", -EINVAL },
		{ "nth=0", -ERANGE },
		{ "nth=4294967296", -ERANGE },
		{ "every=0", -ERANGE },
		{ "percent=0", -ERANGE },
		{ "percent=101", -ERANGE },
		{ "every=1 times=0", -ERANGE },
		{ "every=1 fail=2", -ERANGE },
		{ "every=1 pid=2147483648", -ERANGE },
		{ "every=1 delay_us=10000001", -ERANGE },
		{ "nth=1 every=1", -EINVAL },
		{ "nth=1 nth=1", -EINVAL },
		{ "nth=1 times=2", -EINVAL },
		{ "every=1 seed=1", -EINVAL },
		{ "every=1 fail=0", -EINVAL },
		{ "times=1", -EINVAL },
		{ "every=1 ", -EINVAL },
		{ " every=1", -EINVAL },
		{ "every=1  times=1", -EINVAL },
		{ "every=1\ttimes=1", -EINVAL },
		{ "every=1 comm=", -EINVAL },
		{ "every=1 comm=sixteen_letters_", -EINVAL },
		{ "every=1 comm=a comm=a", -EINVAL },
		{ "every=1 caller=a\x80", -EINVAL },
		{ "every=1 what=1", -EINVAL },
		{ "every=1\n", -EINVAL },
		{ "every=3\n times=2", -EINVAL },
		{ "off\n", -EINVAL },
	};
	char text[FAULT_TEXT_LEN];
	unsigned int i;

	arm(test, plan_here, "every=2");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		strscpy(text, bad[i].text, sizeof(text));
		KUNIT_EXPECT_EQ_MSG(test, fault_plan_write(plan_here, text),
				    bad[i].err, "line %u: \"%s\"", i, bad[i].text);
	}
	/* the plan that there was goes on */
	KUNIT_EXPECT_FALSE(test, ask());
	KUNIT_EXPECT_TRUE(test, ask());
	expect_counts(test, plan_here, 2, 1, 0);
}

static void plan_off_keeps_its_counts(struct kunit *test)
{
	arm(test, plan_here, "every=1");
	KUNIT_EXPECT_TRUE(test, ask());
	KUNIT_EXPECT_EQ(test, disarm(plan_here), 1UL);
	KUNIT_EXPECT_FALSE(test, ask());
	expect_counts(test, plan_here, 1, 1, 0);
	arm(test, plan_here, "every=1");
	expect_counts(test, plan_here, 0, 0, 0);
}

/* -------------------------------------------------------------------- which ones -- */

static void plan_takes_what_it_says(struct kunit *test)
{
	u64 which;

	ask_many(20, &which);
	KUNIT_EXPECT_EQ(test, which, 0ULL);
	arm(test, plan_here, "nth=3");
	ask_many(20, &which);
	KUNIT_EXPECT_EQ(test, which, 0x4ULL);
	arm(test, plan_here, "every=3");
	ask_many(20, &which);
	KUNIT_EXPECT_EQ(test, which, 0x24924ULL);
	arm(test, plan_here, "every=3 times=2");
	ask_many(20, &which);
	KUNIT_EXPECT_EQ(test, which, 0x24ULL);
	expect_counts(test, plan_here, 20, 2, 0);
	arm(test, plan_here, "percent=100 times=5");
	ask_many(20, &which);
	KUNIT_EXPECT_EQ(test, which, 0x1fULL);
}

static void plan_chance_is_fair_and_repeats(struct kunit *test)
{
	static const unsigned int percents[] = { 1, 5, 50, 99 };
	unsigned int i, failed, nr = 20000;
	u64 first, second, other;

	for (i = 0; i < ARRAY_SIZE(percents); i++) {
		arm(test, plan_here, "percent=%u seed=17", percents[i]);
		failed = ask_many(nr, &first);
		/* within a fifth of the rarer outcome, six deviations at least */
		KUNIT_EXPECT_LT(test, abs((int)failed - (int)(nr / 100 * percents[i])),
				(int)(nr / 500 * min(percents[i], 100 - percents[i])) + 50);
		arm(test, plan_here, "percent=%u seed=17", percents[i]);
		KUNIT_EXPECT_EQ(test, ask_many(nr, &second), failed);
		KUNIT_EXPECT_EQ(test, first, second);
	}
	arm(test, plan_here, "percent=50 seed=17");
	ask_many(64, &first);
	arm(test, plan_here, "percent=50 seed=18");
	ask_many(64, &other);
	KUNIT_EXPECT_NE(test, first, other);
}

static void ask_in_a_loop(struct crew_member *me)
{
	unsigned int i;

	while (crew_going(me)) {
		for (i = 0; i < 100; i++)
			ask();
		me->ops += i;
	}
}

/* However many ask at once: no number is drawn twice, no bound exceeded. */
static void plan_counts_exactly_on_all_cpus(struct kunit *test)
{
	struct fault_counts counts;
	unsigned long ops;

	need_cpus(test, 2);
	arm(test, plan_here, "every=7");
	ops = crew_run_all(test, ask_in_a_loop, NULL, scaled(300));
	expect_counts(test, plan_here, ops, ops / 7, 0);

	arm(test, plan_here, "every=2 times=20");
	crew_run_all(test, ask_in_a_loop, NULL, 100);
	fault_plan_counts(plan_here, &counts);
	KUNIT_EXPECT_EQ(test, counts.failed, 20UL);

	arm(test, plan_here, "nth=50");
	crew_run_all(test, ask_in_a_loop, NULL, 100);
	fault_plan_counts(plan_here, &counts);
	KUNIT_EXPECT_EQ(test, counts.failed, 1UL);
}

/* -------------------------------------------------------------------------- whose -- */

static void ask_in_softirq(void *failed)
{
	*(bool *)failed = ask();
}

static void plan_tells_tasks_apart(struct kunit *test)
{
	bool failed;

	arm(test, plan_here, "every=1 pid=%d", task_pid_nr(current));
	KUNIT_EXPECT_TRUE(test, ask());
	/* an interrupt is nobody's, whoever it interrupts */
	run_in_softirq(test, ask_in_softirq, &failed);
	KUNIT_EXPECT_FALSE(test, failed);
	expect_counts(test, plan_here, 1, 1, 0);
	arm(test, plan_here, "every=1 pid=%d", task_pid_nr(current) + 1);
	KUNIT_EXPECT_FALSE(test, ask());
	arm(test, plan_here, "every=1 comm=%s", current->comm);
	KUNIT_EXPECT_TRUE(test, ask());
	arm(test, plan_here, "every=1 comm=%.4s*", current->comm);
	KUNIT_EXPECT_TRUE(test, ask());
	arm(test, plan_here, "every=1 comm=%.4s", current->comm);
	KUNIT_EXPECT_FALSE(test, ask());
	expect_counts(test, plan_here, 0, 0, 0);
	arm(test, plan_here, "every=1");
	run_in_softirq(test, ask_in_softirq, &failed);
	KUNIT_EXPECT_TRUE(test, failed);
}

static noinline bool ask_as_somebody(void)
{
	bool failed = ask();

	barrier();	/* no tail call, which would leave no frame */
	return failed;
}

static void plan_tells_callers_apart(struct kunit *test)
{
	char text[] = "every=1 module=nobody";

	if (fault_plan_write(plan_here, text) == -EOPNOTSUPP)
		kunit_skip(test, "needs a kernel that can walk its stack");
	arm(test, plan_here, "every=1 caller=ask_as_somebody");
	KUNIT_EXPECT_TRUE(test, ask_as_somebody());
	arm(test, plan_here, "every=1 caller=ask_as_some* module=%s", KBUILD_MODNAME);
	KUNIT_EXPECT_TRUE(test, ask_as_somebody());
	arm(test, plan_here, "every=1 caller=ask_as_some");
	KUNIT_EXPECT_FALSE(test, ask_as_somebody());
	arm(test, plan_here, "every=1 caller=ask_as_somebody module=mpslab");
	KUNIT_EXPECT_FALSE(test, ask_as_somebody());
	arm(test, plan_here, "every=1 module=nobody");
	KUNIT_EXPECT_FALSE(test, ask_as_somebody());
	expect_counts(test, plan_here, 0, 0, 0);
}

/* ------------------------------------------------------------------------- delays -- */

static s64 ms_of(gfp_t gfp)
{
	ktime_t start = ktime_get();

	fault(&set, FAULT_PAGES, gfp);
	return ktime_ms_delta(ktime_get(), start);
}

static void plan_delays_where_one_may_sleep(struct kunit *test)
{
	unsigned long flags;
	s64 ms;

	arm(test, plan_here, "every=1 delay_us=50000");
	KUNIT_EXPECT_GE(test, ms_of(GFP_KERNEL), 50LL);
	expect_counts(test, plan_here, 1, 0, 1);
	arm(test, plan_here, "every=1 delay_us=5000000");
	local_irq_save(flags);
	ms = ms_of(GFP_ATOMIC);
	local_irq_restore(flags);
	KUNIT_EXPECT_LT(test, ms, 1000LL);
	expect_counts(test, plan_here, 1, 0, 1);
	arm(test, plan_here, "every=1 delay_us=1 fail=1");
	KUNIT_EXPECT_TRUE(test, ask());
	expect_counts(test, plan_here, 1, 1, 1);
}

/* How long it takes to make the slab that an allocation needs. */
static s64 ms_of_alloc(struct kunit *test, struct mpslab_cache *cache,
		       struct fault_plan *plan, unsigned int delay_us, gfp_t gfp)
{
	struct fault_counts counts;
	ktime_t start;
	void *obj;
	s64 ms;

	mpslab_cache_shrink(cache);
	arm(test, plan, "nth=1 delay_us=%u", delay_us);
	start = ktime_get();
	obj = mpslab_cache_alloc(cache, gfp);
	ms = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	disarm(plan);
	fault_plan_counts(plan, &counts);
	KUNIT_EXPECT_EQ(test, counts.delayed, 1UL);
	return ms;
}

static void expect_late(struct kunit *test, struct mpslab_cache *cache,
			struct fault_plan *plan)
{
	s64 ms;

	keep_quiet(test, cache);
	ms = ms_of_alloc(test, cache, plan, 50000, GFP_KERNEL);
	KUNIT_EXPECT_GE(test, ms, 50LL);
	ms = ms_of_alloc(test, cache, plan, 5000000, GFP_NOWAIT);
	KUNIT_EXPECT_LT(test, ms, 1000LL);
}

/*
 * What is a wish is not worth reclaim: a large block, one for a debugged slab, and,
 * with several nodes, any on the task's own.  Whoever has it may sleep all the same.
 */
static void plan_delays_wishes_where_one_may_sleep(struct kunit *test)
{
	struct mpslab_cache *cache;

	cache = test_cache(test, 64, 0);
	KUNIT_ASSERT_EQ(test, cache->best.order, cache->fallback.order);
	expect_late(test, cache, pages_plan(cache));
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_CHECKS, 1), 0);
	expect_late(test, cache, pages_plan(cache));
	expect_late(test, cache, descriptors_plan(cache));
	test_cache_end(test, cache, 0);

	cache = test_cache(test, 700, 0);
	KUNIT_ASSERT_GT(test, cache->best.order, cache->fallback.order);
	expect_late(test, cache, pages_plan(cache));
	test_cache_end(test, cache, 0);

	cache = test_cache(test, PAGE_SIZE, 0);
	KUNIT_ASSERT_TRUE(test, cache->best.off_slab);
	expect_late(test, cache, descriptors_plan(cache));
	test_cache_end(test, cache, 0);
}

/* -------------------------------------------------------------------------- pools -- */

#define RESERVE		4

static struct mpslab_pool *slab_pool(struct kunit *test,
				     struct mpslab_cache **cache)
{
	struct mpslab_pool *pool;

	*cache = test_cache(test, 64, 0);
	pool = mpslab_pool_create_slab_pool(RESERVE, *cache);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	return pool;
}

static void slab_pool_end(struct kunit *test, struct mpslab_pool *pool,
			  struct mpslab_cache *cache)
{
	struct pool_counts counts;

	pool_counts(pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.outstanding, 0LL);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, RESERVE);
	mpslab_pool_destroy(pool);
	test_cache_end(test, cache, 0);
}

/* Take and free @nr, and see how many came from the reserve. */
static u64 from_reserve(struct kunit *test, struct mpslab_pool *pool,
			unsigned int nr)
{
	u64 before = pool->reserve_allocs;
	void *element;

	while (nr--) {
		element = mpslab_pool_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, element);
		mpslab_pool_free(element, pool);
	}
	return pool->reserve_allocs - before;
}

/* A pool that would take from the CPU's array asks, while there is a plan. */
static void pool_plan_closes_the_short_way(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	struct fault_plan *plan = &pool->faults->plan[FAULT_BACKEND];

	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 30), 0ULL);
	arm(test, plan, "every=3");
	KUNIT_EXPECT_EQ(test, pool->magic, POOL_LONG_WAY);
	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 30), 10ULL);
	expect_counts(test, plan, 30, 10, 0);
	disarm(plan);
	KUNIT_EXPECT_EQ(test, pool->magic, POOL_SHORT_WAY);
	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 30), 0ULL);
	expect_counts(test, plan, 30, 10, 0);
	slab_pool_end(test, pool, cache);
}

static void pool_plan_for_all_meets_old_and_new(struct kunit *test)
{
	struct fault_plan *plan = &fault_all.plan[FAULT_BACKEND];
	struct mpslab_cache *cache, *new_cache;
	struct mpslab_pool *pool = slab_pool(test, &cache), *new;

	arm(test, plan, "every=3 pid=%d", task_pid_nr(current));
	new = slab_pool(test, &new_cache);
	KUNIT_EXPECT_EQ(test, new->magic, POOL_LONG_WAY);
	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 15), 5ULL);
	KUNIT_EXPECT_EQ(test, from_reserve(test, new, 15), 5ULL);
	/* its own plan goes on when that for all ends */
	arm(test, &pool->faults->plan[FAULT_BACKEND], "every=1");
	disarm(plan);
	KUNIT_EXPECT_EQ(test, new->magic, POOL_SHORT_WAY);
	KUNIT_EXPECT_EQ(test, pool->magic, POOL_LONG_WAY);
	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 15), 15ULL);
	slab_pool_end(test, pool, cache);
	slab_pool_end(test, new, new_cache);
}

/* What is promised is kept whatever fails. */
static void pool_plan_breaks_no_promise(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, RESERVE);
	arm(test, &pt->pool.faults->plan[FAULT_BACKEND], "every=1");
	arm(test, &pt->pool.faults->plan[FAULT_RESERVE], "every=1");
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_NOWAIT));
	KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
	KUNIT_EXPECT_EQ(test, pt->be.calls, 0U);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, RESERVE);
	e = pool_get(pt, GFP_NOIO);
	KUNIT_EXPECT_NOT_NULL(test, e);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, RESERVE - 1);
	pool_put(pt, e);
	expect_settled(pt, RESERVE);
}

static void pool_plan_bulk_takes_the_rest_elsewhere(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *elems[RESERVE];
	unsigned int i;

	pool_start(pt, RESERVE);
	arm(test, &pt->pool.faults->plan[FAULT_BACKEND], "nth=2");
	KUNIT_EXPECT_EQ(test, mpslab_pool_alloc_bulk(&pt->pool, elems, RESERVE), 0);
	KUNIT_EXPECT_EQ(test, pt->be.calls, 1U);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, 1);
	for (i = 0; i < RESERVE; i++) {
		elem_claim(&pt->be, elems[i], (unsigned long)current);
		pool_put(pt, elems[i]);
	}
	expect_settled(pt, RESERVE);
}

static void pool_plan_meets_noreserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct fault_plan *plan;
	void *e;

	pool_start(pt, RESERVE);
	plan = &pt->pool.faults->plan[FAULT_BACKEND];
	arm(test, plan, "every=2");
	e = mpslab_pool_alloc_noreserve(&pt->pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, e);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_noreserve(&pt->pool, GFP_KERNEL));
	expect_counts(test, plan, 2, 1, 0);
	KUNIT_EXPECT_EQ(test, pt->be.calls, 1U);
	mpslab_pool_free(e, &pt->pool);
	expect_settled(pt, RESERVE);
}

/* Written between the copy and the word of it, the plan is for the copy. */
static void pool_plan_follows_a_pool_that_moves(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, 0);
	struct mpslab_pool *was, *is;
	struct fault_plan *plan;

	was = kunit_kzalloc(test, sizeof(*was), GFP_KERNEL);
	is = kunit_kzalloc(test, sizeof(*is), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, was);
	KUNIT_ASSERT_NOT_NULL(test, is);
	KUNIT_ASSERT_EQ(test, mpslab_pool_init_slab_pool(was, RESERVE, cache), 0);
	plan = &was->faults->plan[FAULT_BACKEND];
	*is = *was;
	arm(test, plan, "every=1");
	mpslab_pool_moved(is);
	KUNIT_EXPECT_EQ(test, is->magic, POOL_LONG_WAY);
	KUNIT_EXPECT_EQ(test, from_reserve(test, is, 5), 5ULL);
	disarm(plan);
	KUNIT_EXPECT_EQ(test, is->magic, POOL_SHORT_WAY);
	mpslab_pool_exit(is);
	test_cache_end(test, cache, 0);
}

struct ending {
	struct kunit *test;
	struct mpslab_pool pool;
};

static void init_and_exit(struct crew_member *me)
{
	struct ending *end = me->data;
	struct pool_test *pt = end->test->priv;

	while (crew_going(me)) {
		crew_expect(me, !mpslab_pool_init(&end->pool, 1, backend_alloc,
						  backend_free, &pt->be));
		mpslab_pool_exit(&end->pool);
		crew_expect(me, READ_ONCE(end->pool.magic) == POOL_GONE);
		me->ops++;
	}
}

/* For all pools, but nobody asks so often. */
static void toggle_for_all(struct crew_member *me)
{
	struct ending *end = me->data;
	struct fault_plan *plan = &fault_all.plan[FAULT_BACKEND];

	while (crew_going(me)) {
		arm(end->test, plan, "nth=4294967295");
		disarm(plan);
	}
}

/* A plan that comes while a pool goes does not bring it back. */
static void pool_plan_leaves_the_dead_alone(struct kunit *test)
{
	struct ending *end = kunit_kzalloc(test, sizeof(*end), GFP_KERNEL);
	const struct crew_job jobs[] = {
		{ .fn = init_and_exit, .data = end, .cpu = 0 },
		{ .fn = toggle_for_all, .data = end, .cpu = 1 },
	};

	KUNIT_ASSERT_NOT_NULL(test, end);
	need_cpus(test, 2);
	end->test = test;
	KUNIT_EXPECT_GT(test, crew_run(test, jobs, ARRAY_SIZE(jobs), 500), 0UL);
}

struct toggled {
	struct mpslab_pool *pool;
	struct kunit *test;
};

static void take_and_give(struct crew_member *me)
{
	struct toggled *t = me->data;
	void *element;

	while (crew_going(me)) {
		element = mpslab_pool_alloc(t->pool, GFP_KERNEL);
		crew_expect(me, element);
		mpslab_pool_free(element, t->pool);
		me->ops++;
	}
}

static void toggle(struct crew_member *me)
{
	struct toggled *t = me->data;
	struct fault_plan *plan = &t->pool->faults->plan[FAULT_BACKEND];

	while (crew_going(me)) {
		arm(t->test, plan, "every=%u", 1 + random_below(&me->rnd, 4));
		udelay(random_below(&me->rnd, 20));
		disarm(plan);
		me->ops++;
	}
}

/* Between the short way and the long one, back and forth, nothing is lost. */
static void pool_plan_comes_and_goes_under_load(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct toggled t = { .pool = slab_pool(test, &cache), .test = test };
	struct crew_job jobs[] = {
		{ .fn = take_and_give, .data = &t, .cpu = 0 },
		{ .fn = take_and_give, .data = &t, .cpu = 1 },
		{ .fn = toggle, .data = &t, .cpu = 1 },
	};
	unsigned long ops = 0;
	unsigned int turn;

	need_cpus(test, 2);
	/* As long as it takes to meet; a busy host has little time for both CPUs. */
	for (turn = 0; turn < 20 && (ops <= 1000 || !t.pool->reserve_allocs); turn++)
		ops += crew_run(test, jobs, ARRAY_SIZE(jobs), 500);
	KUNIT_EXPECT_GT(test, ops, 1000UL);
	KUNIT_EXPECT_GT(test, t.pool->reserve_allocs, 0ULL);
	expect_balanced(test, cache, RESERVE);
	slab_pool_end(test, t.pool, cache);
}

/* ------------------------------------------------------------------------- forced -- */

static void force_moves_what_it_says(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 2);
	struct cache_node *n = home(cache);
	unsigned long objects;

	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), 0);
	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), 0);
	KUNIT_EXPECT_EQ(test, n->nr_free, 2UL);
	objects = n->objects;
	KUNIT_EXPECT_EQ(test, cache_force_refill(cache), 0);
	KUNIT_EXPECT_GT(test, here(cache)->ac.avail, 0U);
	KUNIT_EXPECT_EQ(test, n->objects, objects);
	expect_balanced(test, cache, 0);
	KUNIT_EXPECT_EQ(test, cache_force_drain(cache), 0);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, 0U);
	KUNIT_EXPECT_EQ(test, n->nr_free, 2UL);
	expect_balanced(test, cache, 0);
	expect_lists(test, cache);

	arm(test, pages_plan(cache), "every=1");
	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), -ENOMEM);
	KUNIT_EXPECT_EQ(test, n->objects, objects);
	test_cache_end(test, cache, 0);
}

static void force_reserve_out_and_in(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, RESERVE);
	e = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, pool_force_drain(&pt->pool), 0);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, 0);
	KUNIT_EXPECT_EQ(test, pt->be.live, 1U);
	pool_put(pt, e);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, 1);
	KUNIT_EXPECT_EQ(test, pool_force_refill(&pt->pool), 0);
	expect_settled(pt, RESERVE);

	pool_force_drain(&pt->pool);
	backend_close(&pt->be);
	KUNIT_EXPECT_EQ(test, pool_force_refill(&pt->pool), -ENOMEM);
	backend_open(&pt->be);
	KUNIT_EXPECT_EQ(test, pool_force_refill(&pt->pool), 0);
	expect_settled(pt, RESERVE);
}

#define SPARE		16

/* Somebody frees an element as soon as another has gone. */
static void free_a_spare(struct test_backend *be)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);
	void **next = be->hook_data;

	if (!*next)
		return;
	be->hook_data = next + 1;
	pool_put(pt, *next);
}

static void force_drain_ends_though_others_free(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *spare[SPARE + 1] = {};
	unsigned int i;

	pool_start(pt, RESERVE);
	for (i = 0; i < SPARE; i++)
		spare[i] = pool_get(pt, GFP_KERNEL);
	backend_forget(&pt->be);
	pt->be.hook_data = spare;
	pt->be.on_free = free_a_spare;
	KUNIT_EXPECT_EQ(test, pool_force_drain(&pt->pool), 0);
	pt->be.on_free = NULL;
	KUNIT_EXPECT_EQ(test, pt->be.frees, (unsigned int)RESERVE);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, RESERVE);
	for (i = RESERVE; i < SPARE; i++)
		pool_put(pt, spare[i]);
	expect_settled(pt, RESERVE);
}

static int how_drain(struct waiter_thread *w)
{
	allow_signal(SIGKILL);
	return pool_force_drain(&w->pt->pool);
}

static void kill_amid_drain(struct test_backend *be)
{
	if (be->frees == 2)
		send_sig(SIGKILL, current, 1);
}

static void force_drain_killed_leaves_the_rest(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, RESERVE);
	pt->be.on_free = kill_amid_drain;
	pt->how = how_drain;
	waiter_launch(pt, GFP_KERNEL, 0);
	KUNIT_ASSERT_TRUE(test, soon_served(pt, 1));
	pt->be.on_free = NULL;
	KUNIT_EXPECT_EQ(test, pt->waiter[0].ret, -EINTR);
	KUNIT_EXPECT_EQ(test, pt->be.frees, 2U);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, RESERVE - 2);
	KUNIT_EXPECT_EQ(test, pool_force_refill(&pt->pool), 0);
	expect_settled(pt, RESERVE);
}

/* ---------------------------------------------------- the kernel's fault injection -- */

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
static void attr_set(enum fault_point point, unsigned long probability)
{
	fault_attrs[point].verbose = 0;
	atomic_set(&fault_attrs[point].times, -1);
	WRITE_ONCE(fault_attrs[point].probability, probability);
}
#else
static void attr_set(enum fault_point point, unsigned long probability)
{
}
#endif

static void attributes_reach_all_points(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool;
	u64 reserved;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");
	pool = slab_pool(test, &cache);
	attr_set(FAULT_BACKEND, 100);
	reserved = from_reserve(test, pool, 10);
	attr_set(FAULT_BACKEND, 0);
	KUNIT_EXPECT_EQ(test, reserved, 10ULL);
	KUNIT_EXPECT_EQ(test, from_reserve(test, pool, 10), 0ULL);

	attr_set(FAULT_RESERVE, 100);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_preallocated(pool));
	attr_set(FAULT_RESERVE, 0);
	attr_set(FAULT_PAGES, 100);
	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), -ENOMEM);
	attr_set(FAULT_PAGES, 0);
	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), 0);
	attr_set(FAULT_SETUP, 100);
	KUNIT_EXPECT_EQ(test, cache_tune(cache, 8, 4, 1), -ENOMEM);
	attr_set(FAULT_SETUP, 0);
	KUNIT_EXPECT_EQ(test, cache_tune(cache, 8, 4, 1), 0);
	slab_pool_end(test, pool, cache);
}

static struct kunit_case fault_plan_cases[] = {
	KUNIT_CASE(plan_bad_text_refused),
	KUNIT_CASE(plan_off_keeps_its_counts),
	KUNIT_CASE(plan_takes_what_it_says),
	KUNIT_CASE(plan_chance_is_fair_and_repeats),
	KUNIT_CASE(plan_counts_exactly_on_all_cpus),
	KUNIT_CASE(plan_tells_tasks_apart),
	KUNIT_CASE(plan_tells_callers_apart),
	KUNIT_CASE(plan_delays_where_one_may_sleep),
	KUNIT_CASE(plan_delays_wishes_where_one_may_sleep),
	KUNIT_CASE(pool_plan_closes_the_short_way),
	KUNIT_CASE(pool_plan_for_all_meets_old_and_new),
	KUNIT_CASE(pool_plan_breaks_no_promise),
	KUNIT_CASE(pool_plan_bulk_takes_the_rest_elsewhere),
	KUNIT_CASE(pool_plan_meets_noreserve),
	KUNIT_CASE(pool_plan_follows_a_pool_that_moves),
	KUNIT_CASE(pool_plan_leaves_the_dead_alone),
	KUNIT_CASE(pool_plan_comes_and_goes_under_load),
	KUNIT_CASE(force_moves_what_it_says),
	KUNIT_CASE(force_reserve_out_and_in),
	KUNIT_CASE(force_drain_ends_though_others_free),
	KUNIT_CASE(force_drain_killed_leaves_the_rest),
	KUNIT_CASE(attributes_reach_all_points),
	{}
};

static struct kunit_suite fault_plan_suite = {
	.name = "mpslab_fault_plan",
	.init = fault_test_init,
	.exit = fault_test_exit,
	.test_cases = fault_plan_cases,
};

kunit_test_suite(fault_plan_suite);
