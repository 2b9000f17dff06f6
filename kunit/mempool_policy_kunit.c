// SPDX-License-Identifier: GPL-2.0
/* The pool's policies: reserve first, never reclaim. */

#include <linux/gfp.h>

#include "fixtures.h"
#include "pool_fixture.h"

static void start_with(struct pool_test *pt, int min_nr, unsigned int policy)
{
	pool_start(pt, min_nr);
	KUNIT_ASSERT_EQ(pt->test, 0, mpslab_pool_set_policy(&pt->pool, policy));
}

static void mempool_reserve_first_leaves_backend_alone(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];
	int i;

	start_with(pt, 3, MPSLAB_POOL_RESERVE_FIRST);
	for (i = 0; i < 3; i++)
		e[i] = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 0, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	pool_put_many(pt, e, 3);
	expect_settled(pt, 3);
}

static void mempool_reserve_first_then_backend(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	start_with(pt, 1, MPSLAB_POOL_RESERVE_FIRST);
	e[0] = pool_get(pt, GFP_KERNEL);
	e[1] = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, e[1]);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.calls);
	pool_put_many(pt, e, 2);
	expect_settled(pt, 1);
}

static void mempool_reserve_first_bulk_leaves_backend_alone(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	start_with(pt, 4, MPSLAB_POOL_RESERVE_FIRST);
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, e, 4));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 4U, mpslab_pool_free_bulk(&pt->pool, e, 4));
	expect_settled(pt, 4);
}

/* What the reserve can't give as a whole is the backend's first. */
static void mempool_reserve_first_bulk_takes_from_both(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *one, *e[4];

	start_with(pt, 4, MPSLAB_POOL_RESERVE_FIRST);
	one = pool_get(pt, GFP_KERNEL);
	pt->be.close_call = pt->be.calls + 3;
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, e, 4));
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 6U, pt->be.live);
	KUNIT_EXPECT_EQ(test, 3U, mpslab_pool_free_bulk(&pt->pool, e, 4));
	backend_open(&pt->be);
	backend_free(e[3], &pt->be);
	pool_put(pt, one);
	expect_settled(pt, 4);
}

/* None can always be had, and does not overtake. */
static void mempool_reserve_first_bulk_of_none(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_queue(pt, &e, 1, 1);
	KUNIT_ASSERT_EQ(test, 0, mpslab_pool_set_policy(&pt->pool,
							MPSLAB_POOL_RESERVE_FIRST));
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_alloc_bulk(&pt->pool, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.overtakes);
	KUNIT_EXPECT_EQ(test, 0U, (unsigned int)pt->pool.passes);
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
}

static bool saw_reclaim(struct test_backend *be)
{
	unsigned int i;

	for (i = 0; i < be->calls && i < BACKEND_CALLS; i++)
		if (be->gfp[i] & __GFP_DIRECT_RECLAIM)
			return true;
	return false;
}

static void mempool_never_reclaim_waits_instead(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_with(pt, 1, MPSLAB_POOL_NO_RECLAIM);
	pool_exhaust(pt, &e, 1);
	waiter_start(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.calls);
	waiter_start_bulk(pt, 1);
	KUNIT_EXPECT_FALSE(test, saw_reclaim(&pt->be));
	pool_put(pt, e);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 1));
	waiter_put(&pt->waiter[0]);
	KUNIT_EXPECT_TRUE(test, soon_served(pt, 2));

	/* And without the policy it does. */
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_policy(&pt->pool, 0));
	backend_forget(&pt->be);
	waiter_start(pt, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, saw_reclaim(&pt->be));
}

static void mempool_never_reclaim_holds_without_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	start_with(pt, 1, MPSLAB_POOL_NO_RECLAIM);
	e = mpslab_pool_alloc_noreserve(&pt->pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, e);
	KUNIT_EXPECT_FALSE(test, saw_reclaim(&pt->be));
	mpslab_pool_free(e, &pt->pool);

	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_policy(&pt->pool, 0));
	e = mpslab_pool_alloc_noreserve(&pt->pool, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, saw_reclaim(&pt->be));
	mpslab_pool_free(e, &pt->pool);
	expect_settled(pt, 1);
}

static void mempool_policy_unknown_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_policy(&pt->pool, 4));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_policy(NULL, 0));
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.slow);
}

/* The way through the CPU's array is closed while a policy holds, and no longer. */
static void mempool_policy_over_a_cache_holds_while_it_is_set(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, 0);
	struct pool_counts c;
	struct mpslab_pool *pool;
	void *obj;

	pool = mpslab_pool_create_slab_pool(2, cache);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, POOL_SHORT_WAY, pool->magic);
	KUNIT_EXPECT_EQ(test, 0,
			mpslab_pool_set_policy(pool, MPSLAB_POOL_RESERVE_FIRST));
	obj = mpslab_pool_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 1, pool->curr_nr);
	mpslab_pool_free(obj, pool);
	KUNIT_EXPECT_EQ(test, 2, pool->curr_nr);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_policy(pool, 0));
	KUNIT_EXPECT_EQ(test, POOL_SHORT_WAY, pool->magic);
	obj = mpslab_pool_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 2, pool->curr_nr);
	mpslab_pool_free(obj, pool);
	pool_counts(pool, &c);
	KUNIT_EXPECT_EQ(test, 0LL, c.outstanding);
	mpslab_pool_destroy(pool);
	test_cache_end(test, cache, 0);
}

static struct kunit_case mempool_policy_cases[] = {
	KUNIT_CASE(mempool_reserve_first_leaves_backend_alone),
	KUNIT_CASE(mempool_reserve_first_then_backend),
	KUNIT_CASE(mempool_reserve_first_bulk_leaves_backend_alone),
	KUNIT_CASE(mempool_reserve_first_bulk_takes_from_both),
	KUNIT_CASE(mempool_reserve_first_bulk_of_none),
	KUNIT_CASE(mempool_never_reclaim_waits_instead),
	KUNIT_CASE(mempool_never_reclaim_holds_without_reserve),
	KUNIT_CASE(mempool_policy_unknown_is_refused),
	KUNIT_CASE(mempool_policy_over_a_cache_holds_while_it_is_set),
	{}
};

static struct kunit_suite mempool_policy_suite = {
	.name = "mpslab_mempool_policy",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_policy_cases,
};

kunit_test_suite(mempool_policy_suite);
