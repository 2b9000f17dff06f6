// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads of one CPU on the caches.  Nobody touches the objects: that costs
 * the same whoever they are of.
 */
#include <linux/kernel.h>

#include "bench.h"

/* ------------------------------------------------------------------- pairs -- */

static __always_inline void pairs(enum bench_who who, struct bench_set *set,
				  gfp_t gfp)
{
	void *handle = set->handle[who];
	unsigned int turns = set->turns;

	while (turns--)
		bench_free(who, handle, bench_alloc(who, handle, gfp));
}

static __always_inline void pair(enum bench_who who, struct bench_set *set)
{
	pairs(who, set, GFP_KERNEL);
}

BENCH_CACHE_LOOPS(pair);

static const unsigned int pair_sizes[] = {
	8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192
};

static int measure_pairs(const struct bench_case *c)
{
	struct bench_set set;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(pair_sizes); i++) {
		err = bench_set_init(&set, pair_sizes[i], 0);
		if (err)
			return err;
		set.turns = c->ops;
		bench_measure(&set, c);
		bench_set_exit(&set);
	}
	return 0;
}

static int run_pair(void)
{
	return measure_pairs(&(struct bench_case){
		.workload = "pair", .loops = pair_loops, .ops = bench_round(),
	});
}

const struct bench_workload bench_slab[] = {
	{ "pair", run_pair },
	{}
};
