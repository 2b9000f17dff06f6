// SPDX-License-Identifier: GPL-2.0
/*
 * A pool over an mpslab cache: it takes from and gives to the CPU's array by
 * itself, and goes through the backend where that can't be.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/smp.h>

#include "fixtures.h"
#include "../mempool_internal.h"

#define RESERVE		3
#define SIZE		64

static struct mpslab_pool *slab_pool(struct kunit *test,
				     struct mpslab_cache **cache)
{
	struct mpslab_pool *pool;

	/* Of which no tool of the kernel wants to know. */
	*cache = test_cache(test, SIZE, SLAB_NOLEAKTRACE | SLAB_TYPESAFE_BY_RCU);
	keep_quiet(test, *cache);
	/* On one CPU all objects are of its node, and a free need not ask. */
	(*cache)->numa = false;
	cache_set_work(*cache, false);
	pool = mpslab_pool_create_slab_pool(RESERVE, *cache);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_ASSERT_EQ(test, pool->magic, POOL_SHORT_WAY);
	return pool;
}

static void slab_pool_end(struct kunit *test, struct mpslab_pool *pool,
			  struct mpslab_cache *cache, long errors)
{
	struct pool_counts counts;

	pool_counts(pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.outstanding, 0LL);
	mpslab_pool_destroy(pool);
	test_cache_end(test, cache, errors);
}

static void expect_pool(struct kunit *test, struct mpslab_pool *pool,
			u64 backend_allocs, u64 reserve_allocs, u64 frees)
{
	struct pool_counts counts;

	pool_counts(pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.backend_allocs, backend_allocs);
	KUNIT_EXPECT_EQ(test, counts.reserve_allocs, reserve_allocs);
	KUNIT_EXPECT_EQ(test, counts.frees, frees);
}

static void slab_pool_uses_the_array(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	struct mpslab_pool_stat *st = raw_cpu_ptr(pool->stat);
	unsigned int avail = here(cache)->ac.avail;
	unsigned long allocs = here(cache)->stat.allocs;
	unsigned long frees = here(cache)->stat.frees;
	void *newest, *element;

	KUNIT_ASSERT_GT(test, avail, 1U);
	newest = here(cache)->ac.entry[avail - 1];
	element = mpslab_pool_alloc(pool, GFP_NOWAIT);
	KUNIT_EXPECT_PTR_EQ(test, element, newest);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail - 1);
	KUNIT_EXPECT_EQ(test, here(cache)->stat.allocs, allocs + 1);
	KUNIT_EXPECT_EQ(test, local_read(&st->pops), 1L);
	KUNIT_EXPECT_EQ(test, st->backend_allocs, 0UL);

	mpslab_pool_free(element, pool);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail);
	KUNIT_EXPECT_EQ(test, here(cache)->stat.frees, frees + 1);
	KUNIT_EXPECT_EQ(test, local_read(&st->pushes), 1L);
	KUNIT_EXPECT_EQ(test, st->frees, 0UL);
	KUNIT_EXPECT_EQ(test, here(cache)->gate, here(cache)->ac.limit);
	expect_pool(test, pool, 1, 0, 1);
	slab_pool_end(test, pool, cache, 0);
}

static void slab_pool_array_closed_goes_to_node(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	unsigned int avail = here(cache)->ac.avail;
	unsigned long allocs = home(cache)->allocs;
	unsigned long frees = home(cache)->frees;
	void *element;

	here(cache)->gate = 0;
	element = mpslab_pool_alloc(pool, GFP_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, element);
	KUNIT_EXPECT_EQ(test, home(cache)->allocs, allocs + 1);
	mpslab_pool_free(element, pool);
	KUNIT_EXPECT_EQ(test, home(cache)->frees, frees + 1);
	KUNIT_EXPECT_EQ(test, here(cache)->gate, 0U);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail);
	here(cache)->gate = here(cache)->ac.limit;
	expect_pool(test, pool, 1, 0, 1);
	slab_pool_end(test, pool, cache, 0);
}

static void slab_pool_array_empty_or_full_goes_on(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	unsigned int i, nr = 2 * cache->limit + 1;
	void **elems = test_pointers(test, nr);

	for (i = 0; i < nr; i++) {
		elems[i] = mpslab_pool_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, elems[i]);
	}
	expect_pool(test, pool, nr, 0, 0);
	for (i = 0; i < nr; i++)
		mpslab_pool_free(elems[i], pool);
	expect_pool(test, pool, nr, 0, nr);
	KUNIT_EXPECT_GT(test, here(cache)->stat.flushes, 0UL);
	slab_pool_end(test, pool, cache, 0);
}

static void slab_pool_free_refills_reserve_first(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	unsigned int avail;
	void *reserved = mpslab_pool_alloc_preallocated(pool);
	void *element = mpslab_pool_alloc(pool, GFP_NOWAIT);

	avail = here(cache)->ac.avail;
	KUNIT_EXPECT_EQ(test, pool->curr_nr, RESERVE - 1);
	mpslab_pool_free(element, pool);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, RESERVE);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail);
	mpslab_pool_free(reserved, pool);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, RESERVE);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail + 1);
	expect_pool(test, pool, 1, 1, 2);
	slab_pool_end(test, pool, cache, 0);
}

static void slab_pool_zeroes_what_its_cache_zeroes(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	void *element = mpslab_pool_alloc(pool, GFP_NOWAIT);
	gfp_t work_gfp = cache->work_gfp;

	KUNIT_ASSERT_NOT_NULL(test, element);
	memset(element, 0xa5, SIZE);
	mpslab_pool_free(element, pool);
	cache->work_gfp |= __GFP_ZERO;
	KUNIT_EXPECT_PTR_EQ(test, mpslab_pool_alloc(pool, GFP_NOWAIT), element);
	KUNIT_EXPECT_NULL(test, memchr_inv(element, 0, SIZE));
	cache->work_gfp = work_gfp;
	mpslab_pool_free(element, pool);
	slab_pool_end(test, pool, cache, 0);
}

/* Where a free has more to do than to push, the pool must not push past it. */
static void slab_pool_wipes_what_its_cache_wipes(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_pool *pool = slab_pool(test, &cache);
	void *element = mpslab_pool_alloc(pool, GFP_NOWAIT);

	KUNIT_ASSERT_NOT_NULL(test, element);
	memset(element, 0xa5, SIZE);
	cache->init_on_free = true;
	cache_set_work(cache, false);
	mpslab_pool_free(element, pool);
	KUNIT_EXPECT_TRUE(test, free_memory_is(element, 0, SIZE));
	cache->init_on_free = false;
	cache_set_work(cache, false);
	expect_pool(test, pool, 1, 0, 1);
	slab_pool_end(test, pool, cache, 0);
}

/* -------------------------------------------------------------- interrupts -- */

#define HELD	40	/* with the task's, more than an array holds */

/**
 * struct pool_storm - who uses one pool on one CPU
 * @pool: the pool
 * @irq_held: what the interrupt holds; it alone looks at it
 * @turns: interrupts
 * @taken: elements that the interrupts took
 */
struct pool_storm {
	struct mpslab_pool *pool;
	void *irq_held[HELD];
	unsigned long turns;
	unsigned long taken;
};

static void irq_turn(void *arg)
{
	struct pool_storm *st = arg;
	unsigned int i, slot;

	as_drivers_interrupt();
	for (i = 0; i < 8; i++) {
		slot = (st->turns + i) % HELD;
		if (st->irq_held[slot])
			mpslab_pool_free(st->irq_held[slot], st->pool);
		st->irq_held[slot] = mpslab_pool_alloc(st->pool, GFP_ATOMIC);
		st->taken += !!st->irq_held[slot];
	}
	st->turns++;
}

static void interrupt_again_and_again(struct crew_member *me)
{
	int cpu = cpumask_first(cpu_online_mask);

	while (crew_going(me)) {
		smp_call_function_single(cpu, irq_turn, me->data, 1);
		udelay(random_below(&me->rnd, 5));
	}
}

static void take_and_give(struct crew_member *me)
{
	struct pool_storm *st = me->data;
	void *held[HELD] = { NULL };
	unsigned int slot;

	while (crew_going(me)) {
		slot = random_below(&me->rnd, HELD);
		if (held[slot])
			mpslab_pool_free(held[slot], st->pool);
		held[slot] = mpslab_pool_alloc(st->pool, GFP_KERNEL);
		crew_expect(me, held[slot]);
		me->ops++;
	}
	for (slot = 0; slot < HELD; slot++)
		if (held[slot])
			mpslab_pool_free(held[slot], st->pool);
}

/* Interrupts land in the middle of a count: none may be lost. */
static void slab_pool_counts_exactly_under_interrupts(struct kunit *test)
{
	struct pool_storm *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	struct crew_job jobs[] = {
		{ .fn = take_and_give, .data = st, .cpu = 0 },
		{ .fn = interrupt_again_and_again, .data = st, .cpu = 1 },
	};
	struct pool_counts counts;
	struct mpslab_cache *cache;
	unsigned long ops, direct;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, st);
	need_cpus(test, 2);
	need_hardirq(test);
	st->pool = slab_pool(test, &cache);
	ops = crew_run(test, jobs, ARRAY_SIZE(jobs), scaled(500));
	for (i = 0; i < HELD; i++)
		mpslab_pool_free(st->irq_held[i], st->pool);
	pool_counts(st->pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.backend_allocs + counts.reserve_allocs,
			(u64)(ops + st->taken));
	direct = home(cache)->allocs + home(cache)->frees;
	kunit_info(test, "%lu interrupts, %lu objects past the arrays\n",
		   st->turns, direct);
	KUNIT_EXPECT_GT(test, st->turns, 0UL);
	slab_pool_end(test, st->pool, cache, 0);
}

static struct kunit_case mempool_slab_cases[] = {
	KUNIT_CASE(slab_pool_uses_the_array),
	KUNIT_CASE(slab_pool_array_closed_goes_to_node),
	KUNIT_CASE(slab_pool_array_empty_or_full_goes_on),
	KUNIT_CASE(slab_pool_free_refills_reserve_first),
	KUNIT_CASE(slab_pool_zeroes_what_its_cache_zeroes),
	KUNIT_CASE(slab_pool_wipes_what_its_cache_wipes),
	KUNIT_CASE_SLOW(slab_pool_counts_exactly_under_interrupts),
	{}
};

static struct kunit_suite mempool_slab_suite = {
	.name = "mpslab_mempool_slab",
	.test_cases = mempool_slab_cases,
};

kunit_test_suite(mempool_slab_suite);
