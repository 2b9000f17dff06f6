// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of the module's own set-up paths, failed once: nothing leaks, and
 * nothing half-made stays.
 */
#include <kunit/test.h>
#include <linux/sched.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define RESERVE		4

#define setup_plan	(&fault_all.plan[FAULT_SETUP])

static void setup_test_exit(struct kunit *test)
{
	disarm(setup_plan);
	pool_test_exit(test);
}

/*
 * A loop over all allocations of what is set up in its body, which each time the
 * next one of fails, until there is none left.  @refused counts the times that
 * @done() says no.
 */
static unsigned int each_step(struct kunit *test, bool (*done)(struct kunit *test),
			      unsigned int *refused)
{
	unsigned int nth;
	bool ok;

	*refused = 0;
	for (nth = 1; nth < 200; nth++) {
		arm(test, setup_plan, "nth=%u pid=%d", nth, task_pid_nr(current));
		ok = done(test);
		if (!disarm(setup_plan)) {
			KUNIT_EXPECT_TRUE(test, ok);
			break;
		}
		*refused += !ok;
	}
	KUNIT_EXPECT_LT(test, nth, 200U);
	return nth - 1;
}

/* -------------------------------------------------------------------------- caches -- */

static bool create_cache_once(struct kunit *test)
{
	unsigned int listed = caches_listed();
	struct mpslab_cache *cache;
	void *obj;

	cache = mpslab_cache_create("kunit-step", 64, 0, 0, NULL);
	if (!cache) {
		KUNIT_EXPECT_EQ(test, caches_listed(), listed);
		return false;
	}
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_EQ(test, caches_listed(), listed);
	return true;
}

/* Struct, name, arrays, directory's name; and for each node itself and an array. */
static void setup_cache_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;

	each_step(test, create_cache_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 4U + 2 * num_possible_nodes());
}

static bool create_traced_once(struct kunit *test)
{
	struct mpslab_cache *cache;

	cache = mpslab_cache_create("kunit-step", 64, 0, SLAB_STORE_USER, NULL);
	mpslab_cache_destroy(cache);
	return cache;
}

/* As any cache; and the place for stacks. */
static void setup_traced_cache_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;

	each_step(test, create_traced_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 5U + 2 * num_possible_nodes());
}

static struct mpslab_cache *traced;

static bool trace_once(struct kunit *test)
{
	int err = cache_debug_set(traced, DEBUG_USER, 1);

	KUNIT_EXPECT_EQ(test, err, err ? -ENOMEM : 0);
	KUNIT_EXPECT_EQ(test, traced->debug, err ? 0 : DEBUG_USER);
	KUNIT_EXPECT_EQ(test, traced->look, !err);
	return !err;
}

/* The place for stacks, which other options don't need. */
static void setup_tracing_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;

	traced = test_cache(test, 64, 0);
	each_step(test, trace_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 1U);
	arm(test, setup_plan, "nth=1 pid=%d", task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, cache_debug_set(traced, DEBUG_CHECKS, 1), 0);
	KUNIT_EXPECT_EQ(test, disarm(setup_plan), 0UL);
	test_cache_end(test, traced, 0);
}

static bool show_traces_once(struct kunit *test)
{
	struct traces *traces = traces_collect(traced, TRACE_ALLOCS);

	if (!traces)
		return false;
	KUNIT_EXPECT_EQ(test, traces->nr, 1U);
	KUNIT_EXPECT_EQ(test, traces->sums[0]->count, 1UL);
	traces_free(traces);
	return true;
}

/* What is collected, a sum and its place, what is shown, and its array. */
static void setup_showing_traces_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;
	void *obj;

	traced = test_cache(test, 64, SLAB_STORE_USER);
	take_objects(test, traced, &obj, 1);
	each_step(test, show_traces_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 5U);
	give_objects(traced, &obj, 1);
	test_cache_end(test, traced, 0);
}

static struct mpslab_cache *tuned;

static bool tune_once(struct kunit *test)
{
	int err = cache_tune(tuned, 2 * SMALL_LIMIT, SMALL_LIMIT, 2);

	expect_balanced(test, tuned, 0);
	KUNIT_EXPECT_EQ(test, tuned->limit,
			err ? (unsigned int)SMALL_LIMIT : 2U * SMALL_LIMIT);
	KUNIT_EXPECT_EQ(test, err, err ? -ENOMEM : 0);
	return !err;
}

/* The list of shared arrays, these, and the CPUs' arrays; nothing can be spared. */
static void setup_tuning_fails_at_each_step(struct kunit *test)
{
	unsigned int refused, steps;

	tuned = test_cache_small(test, 1);
	steps = each_step(test, tune_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, steps);
	KUNIT_EXPECT_EQ(test, refused, 2U + num_possible_nodes());
	test_cache_end(test, tuned, 0);
}

/* --------------------------------------------------------------------------- pools -- */

static bool init_pool_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	int err;

	err = mpslab_pool_init(&pt->pool, RESERVE, backend_alloc, backend_free,
			       &pt->be);
	KUNIT_EXPECT_EQ(test, err, err ? -ENOMEM : 0);
	KUNIT_EXPECT_EQ(test, mpslab_pool_initialized(&pt->pool), !err);
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, pt->be.live, 0U);
	return !err;
}

/* Counts, plans, the array and what is in it, the place in debugfs. */
static void setup_pool_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;

	each_step(test, init_pool_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 4U + RESERVE);
}

static bool create_pool_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_pool *pool;

	pool = mpslab_pool_create(RESERVE, backend_alloc, backend_free, &pt->be);
	mpslab_pool_destroy(pool);
	KUNIT_EXPECT_EQ(test, pt->be.live, 0U);
	return pool;
}

static void setup_created_pool_fails_at_each_step(struct kunit *test)
{
	unsigned int refused;

	each_step(test, create_pool_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, 5U + RESERVE);
}

static bool resize_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	int err = mpslab_pool_resize(&pt->pool, 2 * RESERVE);

	KUNIT_EXPECT_EQ(test, err, err ? -ENOMEM : 0);
	KUNIT_EXPECT_EQ(test, pt->pool.min_nr, err ? RESERVE : 2 * RESERVE);
	KUNIT_EXPECT_EQ(test, pt->pool.curr_nr, pt->pool.min_nr);
	return !err;
}

/* The new array, that of new elements, and these. */
static void setup_resize_fails_at_each_step(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int refused, steps;

	pool_start(pt, RESERVE);
	steps = each_step(test, resize_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, steps);
	KUNIT_EXPECT_EQ(test, refused, 2U + RESERVE);
	expect_settled(pt, 2 * RESERVE);
}

static bool track_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	int err = pool_track(&pt->pool, true);

	KUNIT_EXPECT_EQ(test, err, err ? -ENOMEM : 0);
	KUNIT_EXPECT_EQ(test, pt->pool.slow, err ? 0U : POOL_SLOW_TRACK);
	return !err;
}

/* The table; and where there is one, it stays if there is none in its place. */
static void setup_tracking_fails_at_each_step(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int refused, steps;
	struct pool_track *track;

	pool_start(pt, RESERVE);
	steps = each_step(test, track_once, &refused);
	KUNIT_EXPECT_EQ(test, refused, steps);
	KUNIT_EXPECT_EQ(test, refused, 1U);
	track = rcu_access_pointer(pt->pool.track);
	arm(test, setup_plan, "nth=1 pid=%d", task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, pool_track(&pt->pool, true), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pt->pool.slow, POOL_SLOW_TRACK);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(pt->pool.track), track);
}

static bool rename_once(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	KUNIT_EXPECT_EQ(test, mpslab_pool_set_name(&pt->pool, "kunit-name"), 0);
	KUNIT_EXPECT_STREQ(test, debugfs_pool_name(&pt->pool), "kunit-name");
	KUNIT_EXPECT_EQ(test, mpslab_pool_set_name(&pt->pool, "kunit-other"), 0);
	return true;
}

/* Without its files it still has its name. */
static void setup_rename_needs_no_files(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int refused;

	pool_start(pt, RESERVE);
	KUNIT_EXPECT_GT(test, each_step(test, rename_once, &refused), 1U);
}

static struct kunit_case setup_fails_cases[] = {
	KUNIT_CASE(setup_cache_fails_at_each_step),
	KUNIT_CASE(setup_traced_cache_fails_at_each_step),
	KUNIT_CASE(setup_tracing_fails_at_each_step),
	KUNIT_CASE(setup_showing_traces_fails_at_each_step),
	KUNIT_CASE(setup_tuning_fails_at_each_step),
	KUNIT_CASE(setup_pool_fails_at_each_step),
	KUNIT_CASE(setup_created_pool_fails_at_each_step),
	KUNIT_CASE(setup_resize_fails_at_each_step),
	KUNIT_CASE(setup_tracking_fails_at_each_step),
	KUNIT_CASE(setup_rename_needs_no_files),
	{}
};

static struct kunit_suite setup_fails_suite = {
	.name = "mpslab_setup_fails",
	.init = pool_test_init,
	.exit = setup_test_exit,
	.test_cases = setup_fails_cases,
};

kunit_test_suite(setup_fails_suite);
