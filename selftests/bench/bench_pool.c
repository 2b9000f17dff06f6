// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads of one CPU on the pools: mpslab's over an mpslab cache, the kernel's
 * over a kmem_cache.
 */
#include "bench.h"

#define POOL_SIZE	256
#define POOL_RESERVE	16

static __always_inline void pool_pair(enum bench_who who, struct bench_set *set)
{
	void *handle = set->handle[who];
	unsigned int turns = set->turns;

	while (turns--)
		bench_free(who, handle, bench_alloc(who, handle, GFP_NOIO));
}

BENCH_POOL_LOOPS(pool_pair);

/* Backends that can be closed, so that only the reserve is left. */
static bool closed;

static void *closed_mpslab_alloc(gfp_t gfp, void *cache)
{
	return closed ? NULL : mpslab_cache_alloc(cache, gfp);
}

static void closed_mpslab_free(void *obj, void *cache)
{
	mpslab_cache_free(cache, obj);
}

static void *closed_kmem_cache_alloc(gfp_t gfp, void *cache)
{
	return closed ? NULL : kmem_cache_alloc(cache, gfp);
}

static void closed_kmem_cache_free(void *obj, void *cache)
{
	kmem_cache_free(cache, obj);
}

static void create_pools(struct bench_set *set)
{
	set->handle[BENCH_MPSLAB_POOL] =
		mpslab_pool_create_slab_pool(POOL_RESERVE,
					     set->handle[BENCH_MPSLAB]);
	set->handle[BENCH_MEMPOOL] =
		mempool_create_slab_pool(POOL_RESERVE,
					 set->handle[BENCH_KMEM_CACHE]);
}

static void create_closed_pools(struct bench_set *set)
{
	closed = false;
	set->handle[BENCH_MPSLAB_POOL] =
		mpslab_pool_create(POOL_RESERVE, closed_mpslab_alloc,
				   closed_mpslab_free,
				   set->handle[BENCH_MPSLAB]);
	set->handle[BENCH_MEMPOOL] =
		mempool_create(POOL_RESERVE, closed_kmem_cache_alloc,
			       closed_kmem_cache_free,
			       set->handle[BENCH_KMEM_CACHE]);
	closed = true;
}

static int measure_pools(const char *workload,
			 void (*create)(struct bench_set *set))
{
	const struct bench_case c = {
		.workload = workload, .loops = pool_pair_loops,
		.ops = bench_round(POOL_SIZE),
	};
	struct bench_set set;
	int err;

	err = bench_set_init(&set, POOL_SIZE, 0);
	if (err)
		return err;
	create(&set);
	set.n = POOL_RESERVE;
	set.turns = c.ops;
	err = -ENOMEM;
	if (set.handle[BENCH_MPSLAB_POOL] && set.handle[BENCH_MEMPOOL])
		err = bench_measure(&set, &c);
	mpslab_pool_destroy(set.handle[BENCH_MPSLAB_POOL]);
	mempool_destroy(set.handle[BENCH_MEMPOOL]);
	bench_set_exit(&set);
	return err;
}

static int run_pool(void)
{
	return measure_pools("pool", create_pools);
}

static int run_reserve(void)
{
	return measure_pools("reserve", create_closed_pools);
}

const struct bench_workload bench_pool[] = {
	{ "pool", run_pool },		/* the reserve stays full */
	{ "reserve", run_reserve },	/* all comes from the reserve */
	{}
};
