// SPDX-License-Identifier: GPL-2.0
/*
 * The pool without contention: setting up and tearing down, the order in which
 * an allocation tries its sources, where a free puts an element, the counts,
 * and the backends that come with it.  Waiting is in mempool_wait_kunit.c,
 * resizing in mempool_resize_kunit.c, races in mempool_race_kunit.c.
 */

#include <linux/mm.h>

#include "pool_fixture.h"

#define EXTRA_GFP	(__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)
#define FIRST_GFP(gfp)	(((gfp) | EXTRA_GFP) & ~(__GFP_DIRECT_RECLAIM | __GFP_IO))
#define FULL_GFP(gfp)	((gfp) | EXTRA_GFP)

/* What a pool that wasn't zeroed first may find in its memory. */
#define DIRT		0xa5

/* ------------------------------------------------------------- setting up -- */

static int init_pool(struct pool_test *pt, int min_nr)
{
	return mpslab_pool_init(&pt->pool, min_nr, backend_alloc, backend_free,
				&pt->be);
}

static void mempool_init_preallocates_min_nr(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	KUNIT_ASSERT_EQ(test, 0, init_pool(pt, 8));
	KUNIT_EXPECT_EQ(test, 8U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 8U, pt->be.live);
	KUNIT_EXPECT_EQ(test, 8, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 8, pt->pool.min_nr);
	KUNIT_EXPECT_EQ(test, 8, pt->pool.low_water);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_initialized(&pt->pool));
	KUNIT_EXPECT_TRUE(test, mpslab_pool_is_saturated(&pt->pool));
}

static void mempool_init_failing_element_leaks_nothing(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int i;

	for (i = 1; i <= 8; i++) {
		backend_forget(&pt->be);
		pt->be.fail_call = i;
		KUNIT_EXPECT_EQ(test, -ENOMEM, init_pool(pt, 8));
		KUNIT_EXPECT_EQ_MSG(test, 0U, pt->be.live, "element %u", i);
		KUNIT_EXPECT_FALSE(test, mpslab_pool_initialized(&pt->pool));
	}
}

static void mempool_create_failing_element_returns_null(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pt->be.fail_call = 3;
	KUNIT_EXPECT_NULL(test, mpslab_pool_create(4, backend_alloc,
						   backend_free, &pt->be));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
}

static void mempool_init_negative_returns_einval(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	memset(&pt->pool, DIRT, sizeof(pt->pool));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, init_pool(pt, -1));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	KUNIT_EXPECT_FALSE(test, mpslab_pool_initialized(&pt->pool));
	mpslab_pool_exit(&pt->pool);
}

static void mempool_null_pool_is_refused(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[1] = {};

	pt->expected_reports += 8;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_init(NULL, 1, backend_alloc, backend_free,
					 &pt->be));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_resize(NULL, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_name(NULL, "name"));
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(NULL, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_preallocated(NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_alloc_bulk(NULL, e, 1));
	KUNIT_EXPECT_EQ(test, 0U, mpslab_pool_free_bulk(NULL, e, 1));
	mpslab_pool_free(&e, NULL);
	mpslab_pool_free(NULL, NULL);
	mpslab_pool_exit(NULL);
}

static void mempool_create_negative_returns_null(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	EXPECT_REPORT(pt);
	KUNIT_EXPECT_NULL(test, mpslab_pool_create(INT_MIN, backend_alloc,
						   backend_free, &pt->be));
}

static void mempool_init_without_functions_returns_einval(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_init(&pt->pool, 1, NULL, backend_free,
					 &pt->be));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_init(&pt->pool, 1, backend_alloc, NULL,
					 &pt->be));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
}

static void mempool_init_huge_min_nr_returns_enomem(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	KUNIT_EXPECT_EQ(test, -ENOMEM, init_pool(pt, INT_MAX));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
}

static void mempool_init_dirty_memory_works(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct pool_counts c;

	memset(&pt->pool, DIRT, sizeof(pt->pool));
	pool_start(pt, 2);
	pool_put(pt, pool_get(pt, GFP_KERNEL));
	pool_counts(&pt->pool, &c);
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.longest_wait_ns);
	KUNIT_EXPECT_EQ(test, 0ULL, c.reserve_allocs);
	KUNIT_EXPECT_EQ(test, 0LL, c.outstanding);
}

static void mempool_init_again_after_exit_works(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 3);
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
	pool_start(pt, 5);
	KUNIT_EXPECT_EQ(test, 5, pt->pool.curr_nr);
}

static void mempool_init_node_passes_gfp(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	gfp_t forbidden = __GFP_IO | __GFP_FS;

	KUNIT_ASSERT_EQ(test, 0,
			mpslab_pool_init_node(&pt->pool, 2, backend_alloc,
					      backend_free, &pt->be, GFP_NOIO,
					      NUMA_NO_NODE));
	KUNIT_EXPECT_EQ(test, 0U, (__force u32)(pt->be.gfp[0] & forbidden));
	KUNIT_EXPECT_NE(test, 0U,
			(__force u32)(pt->be.gfp[0] & __GFP_DIRECT_RECLAIM));
}

static void mempool_create_node_preallocates_min_nr(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_pool *pool;

	pool = mpslab_pool_create_node(3, backend_alloc, backend_free, &pt->be,
				       GFP_KERNEL, near_node());
	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, 3U, pt->be.live);
	KUNIT_EXPECT_EQ(test, 3, pool->curr_nr);
	mpslab_pool_destroy(pool);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
}

/* ----------------------------------------------------------- tearing down -- */

static void mempool_exit_never_initialised_is_fine(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
}

static void mempool_exit_twice_is_fine(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 4);
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_FALSE(test, mpslab_pool_initialized(&pt->pool));
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, 4U, pt->be.frees);
}

static void mempool_exit_after_failed_init_is_fine(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	memset(&pt->pool, DIRT, sizeof(pt->pool));
	pt->be.fail_call = 2;
	KUNIT_ASSERT_EQ(test, -ENOMEM, init_pool(pt, 2));
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.live);
}

static void mempool_destroy_null_is_fine(struct kunit *test)
{
	mpslab_pool_destroy(NULL);
}

static void mempool_exit_outstanding_reports(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];
	int i;

	pool_start(pt, 2);
	for (i = 0; i < 3; i++)
		e[i] = pool_get(pt, GFP_KERNEL);
	EXPECT_REPORT(pt);
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ_MSG(test, 3U, pt->be.live, "the reserve stayed");
	for (i = 0; i < 3; i++) {
		elem_release(&pt->be, e[i], (unsigned long)current);
		backend_free(e[i], &pt->be);
	}
}

static void mempool_exit_outstanding_from_reserve_reports(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 2);
	e = pool_get_reserved(pt);
	EXPECT_REPORT(pt);
	mpslab_pool_exit(&pt->pool);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.live);
	elem_release(&pt->be, e, (unsigned long)current);
	backend_free(e, &pt->be);
}

static void mempool_destroy_outstanding_reports(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_pool *pool;
	void *e;

	pool = mpslab_pool_create(1, backend_alloc, backend_free, &pt->be);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	e = mpslab_pool_alloc(pool, GFP_KERNEL);
	EXPECT_REPORT(pt);
	mpslab_pool_destroy(pool);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.live);
	backend_free(e, &pt->be);
}

/* ------------------------------------------------------ order of the sources -- */

static void mempool_alloc_prefers_backend(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 2);
	e = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 3U, pt->be.live);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	pool_put(pt, e);
}

static void mempool_alloc_backend_fails_takes_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 2);
	backend_close(&pt->be);
	e = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, e);
	KUNIT_EXPECT_EQ_MSG(test, 1U, pt->be.calls,
			    "reclaimed though the reserve had one");
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	pool_put(pt, e);
}

/* Else kmemleak would take what stands there for a reference. */
static void mempool_reserve_forgets_what_it_gave(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];
	int i;

	if (!IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		kunit_skip(test, "the kernel has no kmemleak");
	pool_start(pt, ARRAY_SIZE(e));
	pool_exhaust(pt, e, ARRAY_SIZE(e));
	for (i = 0; i < ARRAY_SIZE(e); i++)
		KUNIT_EXPECT_NULL(test, pt->pool.elements[i]);
	backend_open(&pt->be);
	pool_put_many(pt, e, ARRAY_SIZE(e));
}

static void mempool_alloc_reserve_empty_reclaims(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 1);
	pool_exhaust(pt, e, 1);
	backend_open(&pt->be);
	pt->be.fail_call = 1;
	e[1] = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 2U, pt->be.calls);
	KUNIT_EXPECT_EQ(test, 2U, pt->be.live);
	KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
	pool_put_many(pt, e, 2);
}

/* In the backend's second call: an element comes back to the reserve. */
static void put_in_second_call(struct test_backend *be, gfp_t gfp)
{
	struct pool_test *pt = container_of(be, struct pool_test, be);

	if (be->calls == 1)
		pool_put(pt, be->hook_data);
}

static void mempool_alloc_retries_reserve_before_waiting(struct kunit *test)
{
	static const gfp_t flags[] = { GFP_KERNEL, __GFP_IO };
	struct pool_test *pt = test->priv;
	unsigned int i;
	void *e;

	pool_start(pt, 1);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		pool_exhaust(pt, &e, 1);
		pt->be.hook_data = e;
		pt->be.on_alloc = put_in_second_call;
		e = pool_get(pt, flags[i]);
		KUNIT_ASSERT_NOT_NULL(test, e);
		KUNIT_EXPECT_EQ(test, 2U, pt->be.calls);
		KUNIT_EXPECT_EQ(test, 0ULL, pt->pool.waits);
		pt->be.on_alloc = NULL;
		pool_put(pt, e);
	}
}

static void mempool_alloc_nowait_empty_returns_null(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 2);
	pool_exhaust(pt, e, 2);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(&pt->pool, GFP_NOWAIT));
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(&pt->pool, GFP_ATOMIC));
	KUNIT_EXPECT_EQ_MSG(test, 2U, pt->be.calls, "one try each");
	KUNIT_EXPECT_EQ(test, 0U, pt->pool.nr_waiters);
	pool_put_many(pt, e, 2);
}

static void mempool_alloc_nowait_takes_whole_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];
	int i;

	pool_start(pt, 4);
	pool_exhaust(pt, e, 4);
	for (i = 0; i < 4; i++)
		pool_put(pt, e[i]);
	KUNIT_EXPECT_EQ(test, 4, pt->pool.curr_nr);
}

static void mempool_alloc_preallocated_spares_backend(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 2);
	e[0] = pool_get_reserved(pt);
	e[1] = pool_get_reserved(pt);
	KUNIT_EXPECT_NOT_NULL(test, e[0]);
	KUNIT_EXPECT_NOT_NULL(test, e[1]);
	KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.calls);
	pool_put_many(pt, e, 2);
}

static void mempool_alloc_zero_returns_null(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(&pt->pool,
						  GFP_KERNEL | __GFP_ZERO));
	KUNIT_EXPECT_EQ_MSG(test, 0U, pt->be.calls, "the backend saw it");
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
}

/* Even a pool without a reserve keeps one element, so that waiters find it. */
static void mempool_pool_of_none_keeps_one(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 0);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.live);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_initialized(&pt->pool));
	KUNIT_EXPECT_TRUE(test, mpslab_pool_is_saturated(&pt->pool));
	e[0] = pool_get(pt, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	e[1] = pool_get_reserved(pt);
	KUNIT_EXPECT_NOT_NULL(test, e[1]);
	KUNIT_EXPECT_NULL(test, pool_get_reserved(pt));
	KUNIT_EXPECT_FALSE(test, mpslab_pool_is_saturated(&pt->pool));
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_is_saturated(&pt->pool));
	pool_put(pt, e[1]);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.frees);
}

/* -------------------------------------------------------- flags per try -- */

struct gfp_case {
	const char *name;
	gfp_t gfp;
	unsigned int tries;	/* before it gives up or waits */
};

static const struct gfp_case gfp_cases[] = {
	{ "GFP_KERNEL", GFP_KERNEL, 2 },
	{ "GFP_NOFS", GFP_NOFS, 2 },
	{ "GFP_NOIO", GFP_NOIO, 2 },
	{ "GFP_ATOMIC", GFP_ATOMIC, 1 },
	{ "GFP_NOWAIT", GFP_NOWAIT, 1 },
	{ "GFP_USER", GFP_USER, 2 },
	{ "__GFP_IO alone", __GFP_IO, 2 },
	{ "nothing", (__force gfp_t)0, 1 },
};

static void gfp_case_desc(const struct gfp_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gfp, gfp_cases, gfp_case_desc);

static void expect_gfp(struct kunit *test, gfp_t expected, gfp_t seen)
{
	KUNIT_EXPECT_EQ_MSG(test, (__force u32)expected, (__force u32)seen,
			    "missing %#x, too many %#x",
			    (__force u32)(expected & ~seen),
			    (__force u32)(seen & ~expected));
}

static void mempool_alloc_backend_sees_adjusted_gfp(struct kunit *test)
{
	const struct gfp_case *c = test->param_value;
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 1);
	pool_exhaust(pt, e, 1);
	backend_open(&pt->be);
	pt->be.fail_call = 1;
	e[1] = pool_get(pt, c->gfp);

	KUNIT_EXPECT_EQ(test, c->tries, pt->be.calls);
	expect_gfp(test, FIRST_GFP(c->gfp), pt->be.gfp[0]);
	if (c->tries == 2)
		expect_gfp(test, FULL_GFP(c->gfp), pt->be.gfp[1]);
	KUNIT_EXPECT_EQ(test, c->tries == 2, !!e[1]);
	pool_put_many(pt, e, e[1] ? 2 : 1);
}

/* ------------------------------------------------------------------ freeing -- */

static void mempool_free_refills_reserve_first(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	pool_start(pt, 2);
	e[2] = pool_get(pt, GFP_KERNEL);
	pool_exhaust(pt, e, 2);

	pool_put(pt, e[2]);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.curr_nr);
	KUNIT_EXPECT_FALSE(test, mpslab_pool_is_saturated(&pt->pool));
	pool_put(pt, e[0]);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_is_saturated(&pt->pool));
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
	pool_put(pt, e[1]);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(test, 1U, pt->be.frees);
}

static void mempool_free_null_is_fine(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[2];

	pool_start(pt, 2);
	mpslab_pool_free(NULL, &pt->pool);
	pool_exhaust(pt, e, 2);
	mpslab_pool_free(NULL, &pt->pool);
	KUNIT_EXPECT_EQ_MSG(test, 0, pt->pool.curr_nr, "kept the NULL");
	pool_put_many(pt, e, 2);
	mpslab_pool_free(NULL, &pt->pool);
	KUNIT_EXPECT_EQ(test, 0U, pt->be.frees);
}

/* ------------------------------------------------------------------- counts -- */

static void expect_counts(struct pool_test *pt, u64 backend, u64 reserve,
			  u64 frees, s64 outstanding)
{
	struct pool_counts c;

	pool_counts(&pt->pool, &c);
	KUNIT_EXPECT_EQ(pt->test, backend, c.backend_allocs);
	KUNIT_EXPECT_EQ(pt->test, reserve, c.reserve_allocs);
	KUNIT_EXPECT_EQ(pt->test, frees, c.frees);
	KUNIT_EXPECT_EQ(pt->test, outstanding, c.outstanding);
}

static void mempool_counts_tell_sources_apart(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[4];

	pool_start(pt, 2);
	expect_counts(pt, 0, 0, 0, 0);
	e[0] = pool_get(pt, GFP_KERNEL);
	e[1] = pool_get(pt, GFP_ATOMIC);
	expect_counts(pt, 2, 0, 0, 2);
	pool_exhaust(pt, e + 2, 2);
	expect_counts(pt, 2, 2, 0, 4);
	KUNIT_EXPECT_NULL(test, pool_get(pt, GFP_NOWAIT));
	expect_counts(pt, 2, 2, 0, 4);
	pool_put_many(pt, e, 3);
	expect_counts(pt, 2, 2, 3, 1);
	pool_put(pt, e[3]);
	expect_counts(pt, 2, 2, 4, 0);
}

static void mempool_counts_preallocated_as_reserve(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e;

	pool_start(pt, 1);
	e = pool_get_reserved(pt);
	expect_counts(pt, 0, 1, 0, 1);
	pool_put(pt, e);
	expect_counts(pt, 0, 1, 1, 0);
}

static void mempool_low_water_keeps_minimum(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	void *e[3];

	pool_start(pt, 4);
	e[0] = pool_get_reserved(pt);
	e[1] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.low_water);
	pool_put_many(pt, e, 2);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.low_water);
	e[0] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, 2, pt->pool.low_water);
	e[1] = pool_get_reserved(pt);
	e[2] = pool_get_reserved(pt);
	KUNIT_EXPECT_EQ(test, 1, pt->pool.low_water);
	pool_put_many(pt, e, 3);
}

/* ------------------------------------------------------------ ready backends -- */

#define READY_MIN	3
#define READY_TAKEN	5

typedef void *(address_fn)(void *element);

static void *itself(void *element)
{
	return element;
}

static void *page_memory(void *element)
{
	return page_address(element);
}

/* Use a pool beyond its reserve; each element has @size bytes of its own. */
static void use_ready_pool(struct kunit *test, struct mpslab_pool *pool,
			   size_t size, address_fn *address)
{
	void *e[READY_TAKEN];
	int i;

	KUNIT_EXPECT_EQ(test, READY_MIN, pool->curr_nr);
	for (i = 0; i < READY_TAKEN; i++) {
		e[i] = i & 1 ? mpslab_pool_alloc_preallocated(pool) :
			       mpslab_pool_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, e[i]);
		memset(address(e[i]), i, size);
	}
	for (i = 0; i < READY_TAKEN; i++) {
		u8 *mem = address(e[i]);

		KUNIT_EXPECT_EQ(test, i, (int)mem[0]);
		KUNIT_EXPECT_NULL(test, memchr_inv(mem, i, size));
		mpslab_pool_free(e[i], pool);
	}
	KUNIT_EXPECT_EQ(test, READY_MIN, pool->curr_nr);
}

static void use_created(struct kunit *test, struct mpslab_pool *pool,
			size_t size, address_fn *address)
{
	KUNIT_ASSERT_NOT_NULL(test, pool);
	use_ready_pool(test, pool, size, address);
	mpslab_pool_destroy(pool);
}

/* Use pt->pool, if @err says that it was set up. */
static void use_embedded(struct kunit *test, int err, size_t size,
			 address_fn *address)
{
	struct pool_test *pt = test->priv;

	KUNIT_ASSERT_EQ(test, 0, err);
	use_ready_pool(test, &pt->pool, size, address);
	mpslab_pool_exit(&pt->pool);
}

static void mempool_kmalloc_pool_gives_size(struct kunit *test)
{
	static const size_t sizes[] = { 1, 100, 2 * PAGE_SIZE };
	struct pool_test *pt = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		use_created(test,
			    mpslab_pool_create_kmalloc_pool(READY_MIN, sizes[i]),
			    sizes[i], itself);
		use_embedded(test,
			     mpslab_pool_init_kmalloc_pool(&pt->pool, READY_MIN,
							   sizes[i]),
			     sizes[i], itself);
	}
}

static void mempool_page_pool_gives_order(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	unsigned int order;

	for (order = 0; order < 3; order++) {
		use_created(test, mpslab_pool_create_page_pool(READY_MIN, order),
			    PAGE_SIZE << order, page_memory);
		use_embedded(test,
			     mpslab_pool_init_page_pool(&pt->pool, READY_MIN,
							order),
			     PAGE_SIZE << order, page_memory);
	}
}

static void mempool_slab_pool_gives_objects_of_cache(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_cache *cache;
	struct cache_balance b;

	cache = mpslab_cache_create("mempool_kunit", 40, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	use_created(test, mpslab_pool_create_slab_pool(READY_MIN, cache), 40,
		    itself);
	use_embedded(test,
		     mpslab_pool_init_slab_pool(&pt->pool, READY_MIN, cache),
		     40, itself);
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, 0UL, b.in_use);
	mpslab_cache_destroy(cache);
}

/* -------------------------------------------------------------------- names -- */

static const char * const odd_names[] = {
	"a name", "a/b", "..", ".", "../../etc", "%s%n", "\n", "\xff\xfe",
};

static void odd_name_desc(const char * const *name, char *desc)
{
	size_t i = name - odd_names;

	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "name %zu", i);
}

KUNIT_ARRAY_PARAM(odd_name, odd_names, odd_name_desc);

static void mempool_set_name_odd_keeps_pool_usable(struct kunit *test)
{
	const char * const *name = test->param_value;
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, *name));
	KUNIT_EXPECT_NULL(test, strpbrk(debugfs_pool_name(&pt->pool), "/\n"));
	pool_put(pt, pool_get(pt, GFP_KERNEL));
}

static void mempool_set_name_long_is_cut(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	char name[400];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pool_start(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, name));
	KUNIT_EXPECT_LT(test, strlen(debugfs_pool_name(&pt->pool)),
			(size_t)NAME_MAX);
	KUNIT_EXPECT_EQ(test, 'n', debugfs_pool_name(&pt->pool)[0]);
}

static void mempool_set_name_none_returns_einval(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, "kept"));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_name(&pt->pool, ""));
	EXPECT_REPORT(pt);
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_name(&pt->pool, NULL));
	KUNIT_EXPECT_STREQ(test, "kept", debugfs_pool_name(&pt->pool));
}

static void mempool_set_name_twice_takes_last(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	pool_start(pt, 1);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, "first"));
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, "second"));
	KUNIT_EXPECT_STREQ(test, "second", debugfs_pool_name(&pt->pool));
}

static void mempool_set_name_of_another_pool_keeps_both(struct kunit *test)
{
	struct pool_test *pt = test->priv;
	struct mpslab_pool *other;

	pool_start(pt, 1);
	other = mpslab_pool_create(1, backend_alloc, backend_free, &pt->be);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&pt->pool, "twin"));
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(other, "twin"));
	KUNIT_EXPECT_STREQ(test, "twin", debugfs_pool_name(&pt->pool));
	KUNIT_EXPECT_STRNEQ(test, "twin", debugfs_pool_name(other));
	mpslab_pool_destroy(other);
	KUNIT_EXPECT_STREQ(test, "twin", debugfs_pool_name(&pt->pool));
}

static struct kunit_case mempool_cases[] = {
	KUNIT_CASE(mempool_init_preallocates_min_nr),
	KUNIT_CASE(mempool_init_failing_element_leaks_nothing),
	KUNIT_CASE(mempool_create_failing_element_returns_null),
	KUNIT_CASE(mempool_init_negative_returns_einval),
	KUNIT_CASE(mempool_null_pool_is_refused),
	KUNIT_CASE(mempool_create_negative_returns_null),
	KUNIT_CASE(mempool_init_without_functions_returns_einval),
	KUNIT_CASE(mempool_init_huge_min_nr_returns_enomem),
	KUNIT_CASE(mempool_init_dirty_memory_works),
	KUNIT_CASE(mempool_init_again_after_exit_works),
	KUNIT_CASE(mempool_init_node_passes_gfp),
	KUNIT_CASE(mempool_create_node_preallocates_min_nr),
	KUNIT_CASE(mempool_exit_never_initialised_is_fine),
	KUNIT_CASE(mempool_exit_twice_is_fine),
	KUNIT_CASE(mempool_exit_after_failed_init_is_fine),
	KUNIT_CASE(mempool_destroy_null_is_fine),
	KUNIT_CASE(mempool_exit_outstanding_reports),
	KUNIT_CASE(mempool_exit_outstanding_from_reserve_reports),
	KUNIT_CASE(mempool_destroy_outstanding_reports),
	KUNIT_CASE(mempool_alloc_prefers_backend),
	KUNIT_CASE(mempool_alloc_backend_fails_takes_reserve),
	KUNIT_CASE(mempool_reserve_forgets_what_it_gave),
	KUNIT_CASE(mempool_alloc_reserve_empty_reclaims),
	KUNIT_CASE(mempool_alloc_retries_reserve_before_waiting),
	KUNIT_CASE(mempool_alloc_nowait_empty_returns_null),
	KUNIT_CASE(mempool_alloc_nowait_takes_whole_reserve),
	KUNIT_CASE(mempool_alloc_preallocated_spares_backend),
	KUNIT_CASE(mempool_alloc_zero_returns_null),
	KUNIT_CASE(mempool_pool_of_none_keeps_one),
	KUNIT_CASE_PARAM(mempool_alloc_backend_sees_adjusted_gfp,
			 gfp_gen_params),
	KUNIT_CASE(mempool_free_refills_reserve_first),
	KUNIT_CASE(mempool_free_null_is_fine),
	KUNIT_CASE(mempool_counts_tell_sources_apart),
	KUNIT_CASE(mempool_counts_preallocated_as_reserve),
	KUNIT_CASE(mempool_low_water_keeps_minimum),
	KUNIT_CASE(mempool_kmalloc_pool_gives_size),
	KUNIT_CASE(mempool_page_pool_gives_order),
	KUNIT_CASE(mempool_slab_pool_gives_objects_of_cache),
	KUNIT_CASE_PARAM(mempool_set_name_odd_keeps_pool_usable,
			 odd_name_gen_params),
	KUNIT_CASE(mempool_set_name_long_is_cut),
	KUNIT_CASE(mempool_set_name_none_returns_einval),
	KUNIT_CASE(mempool_set_name_twice_takes_last),
	KUNIT_CASE(mempool_set_name_of_another_pool_keeps_both),
	{}
};

static struct kunit_suite mempool_suite = {
	.name = "mpslab_mempool",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_cases,
};

kunit_test_suite(mempool_suite);
