// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads of one CPU on the caches.  Nobody touches the objects: that costs
 * the same whoever they are of.
 */
#include <linux/kernel.h>

#include "bench.h"

#define PEER_SIZE	256	/* of an object, where only one size is looked at */

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

BENCH_FLOOR_LOOPS(pair);

static __always_inline void zalloc(enum bench_who who, struct bench_set *set)
{
	pairs(who, set, GFP_KERNEL | __GFP_ZERO);
}

BENCH_CACHE_LOOPS(zalloc);

static __always_inline void atomic(enum bench_who who, struct bench_set *set)
{
	pairs(who, set, GFP_ATOMIC);
}

BENCH_CACHE_LOOPS(atomic);

static int measure_pairs(struct bench_case *c, unsigned int size)
{
	struct bench_set set;
	int err;

	err = bench_set_init(&set, size, 0);
	if (err)
		return err;
	c->ops = bench_round(size);
	set.turns = c->ops;
	err = bench_measure(&set, c);
	bench_set_exit(&set);
	return err;
}

static int measure_sizes(struct bench_case *c)
{
	static const unsigned int sizes[] = {
		8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(sizes) && !err; i++)
		err = measure_pairs(c, sizes[i]);
	return err;
}

static int run_pair(void)
{
	return measure_sizes(&(struct bench_case){
		.workload = "pair", .loops = pair_loops,
	});
}

static int run_zalloc(void)
{
	return measure_sizes(&(struct bench_case){
		.workload = "zalloc", .loops = zalloc_loops,
	});
}

static int run_softirq(void)
{
	return measure_pairs(&(struct bench_case){
		.workload = "softirq", .loops = atomic_loops,
		.softirq = true,
	}, PEER_SIZE);
}

/* --------------------------------------------------------- bursts and bulks -- */

/* Freed in the order in which they were allocated, as requests often are. */
static __always_inline void burst(enum bench_who who, struct bench_set *set)
{
	void *handle = set->handle[who], **objs = set->objs[who];
	unsigned int turns = set->turns, n = set->n, i;

	while (turns--) {
		for (i = 0; i < n; i++)
			objs[i] = bench_alloc(who, handle, GFP_KERNEL);
		for (i = 0; i < n; i++)
			bench_free(who, handle, objs[i]);
	}
}

BENCH_FLOOR_LOOPS(burst);

static __always_inline void bulk(enum bench_who who, struct bench_set *set)
{
	void *handle = set->handle[who], **objs = set->objs[who];
	unsigned int turns = set->turns, n = set->n;

	while (turns--) {
		if (!bench_alloc_bulk(who, handle, GFP_KERNEL, n, objs)) {
			set->failed = true;
			break;
		}
		bench_free_bulk(who, handle, n, objs);
	}
}

BENCH_CACHE_LOOPS(bulk);

static int measure_lengths(const struct bench_case *c,
			   const unsigned int *lengths, unsigned int nr)
{
	struct bench_set set;
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		err = bench_set_init(&set, PEER_SIZE, lengths[i]);
		if (err)
			break;
		set.n = lengths[i];
		set.turns = c->ops / lengths[i];
		err = bench_measure(&set, c);
		bench_set_exit(&set);
	}
	return err;
}

static int run_burst(void)
{
	static const unsigned int lengths[] = { 8, 32, 128, 1024 };

	return measure_lengths(&(struct bench_case){
		.workload = "burst", .loops = burst_loops,
		.ops = bench_round(PEER_SIZE),
	}, lengths, ARRAY_SIZE(lengths));
}

static int run_bulk(void)
{
	static const unsigned int lengths[] = { 16, 64, 256 };

	return measure_lengths(&(struct bench_case){
		.workload = "bulk", .loops = bulk_loops,
		.ops = bench_round(PEER_SIZE),
	}, lengths, ARRAY_SIZE(lengths));
}

/* ---------------------------------------------------------------- a live set -- */

#define LIVE		10000
#define LIVE_PLACES	(2 * LIVE)	/* half of them hold an object */
#define LIVE_SEED	12345

/*
 * A place chosen at random loses its object, or gets one.  So objects are freed
 * in no order at all, and allocations and frees come in runs, as they do in a
 * busy system.  The choice is the same for everybody.
 */
static __always_inline void live(enum bench_who who, struct bench_set *set)
{
	void *handle = set->handle[who], **objs = set->objs[who], **place;
	unsigned int turns = set->turns;
	u32 random = set->random[who];

	while (turns--) {
		random = random * 1664525 + 1013904223;
		place = objs + ((u64)random * LIVE_PLACES >> 32);
		if (*place) {
			bench_free(who, handle, *place);
			*place = NULL;
		} else {
			*place = bench_alloc(who, handle, GFP_KERNEL);
		}
	}
	set->random[who] = random;
}

BENCH_CACHE_LOOPS(live);

static void live_free(enum bench_who who, struct bench_set *set)
{
	unsigned int i;

	for (i = 0; i < LIVE_PLACES; i++)
		if (set->objs[who][i])
			bench_free(who, set->handle[who], set->objs[who][i]);
}

static int run_live(void)
{
	const struct bench_case c = {
		.workload = "live", .loops = live_loops,
		.ops = bench_round(PEER_SIZE),
	};
	struct bench_set set;
	int err, who;

	err = bench_set_init(&set, PEER_SIZE, LIVE_PLACES);
	if (err)
		return err;
	set.n = LIVE;
	/* Long enough that no trace of the empty beginning is left. */
	set.turns = 10 * LIVE_PLACES;
	for (who = 0; who < BENCH_NR; who++) {
		set.random[who] = LIVE_SEED;
		if (live_loops[who])
			live_loops[who](&set);
	}
	set.turns = 2 * c.ops;		/* an operation is an allocation and a free */
	err = bench_measure(&set, &c);
	live_free(BENCH_MPSLAB, &set);
	live_free(BENCH_KMEM_CACHE, &set);
	bench_set_exit(&set);
	return err;
}

/* ----------------------------------------------------------- with debugging on -- */

/* After all others: from then on SLUB asks each cache whether it is debugged. */
static int run_debug(void)
{
	static const struct {
		const char *name;
		slab_flags_t flags;
	} kinds[] = {
		{ "debug_f", SLAB_CONSISTENCY_CHECKS },
		{ "debug_z", SLAB_RED_ZONE },
		{ "debug_p", SLAB_POISON },
		{ "debug_u", SLAB_STORE_USER },
		{ "debug_fzpu", SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE |
				SLAB_POISON | SLAB_STORE_USER },
	};
	struct bench_case c = {
		.loops = pair_loops, .ops = bench_round(PEER_SIZE),
	};
	struct bench_set set;
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !err; i++) {
		err = bench_set_init_with(&set, PEER_SIZE, 0, kinds[i].flags, 0);
		if (err)
			break;
		c.workload = kinds[i].name;
		set.turns = c.ops;
		err = bench_measure(&set, &c);
		bench_set_exit(&set);
	}
	return err;
}

const struct bench_workload bench_slab[] = {
	{ "pair", run_pair },
	{ "zalloc", run_zalloc },
	{ "softirq", run_softirq },
	{ "burst", run_burst },
	{ "bulk", run_bulk },
	{ "live", run_live },
	{ "debug", run_debug },
	{}
};
