/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the benchmark share.
 *
 * To add a workload: write bench_<x>.c with an array of struct bench_workload
 * that ends with an empty one, declare it at the end of this file, list it in
 * bench_main.c and in Kbuild.  A workload that measures time per operation
 * gives bench_measure() a loop for each allocator; any other measures what it
 * likes and calls bench_row().
 *
 * Every allocator is called directly: the loops are templates over enum
 * bench_who, a constant in each of their instances.  A call through a pointer,
 * which on hardened kernels goes by a thunk, would cost more than what is
 * measured.
 */
#ifndef MPSLAB_BENCH_H
#define MPSLAB_BENCH_H

#include <linux/compiler.h>
#include <linux/mempool.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "mpslab.h"

/* Who is measured; what the rows call them is in bench_main.c. */
enum bench_who {
	BENCH_LOOP,		/* nobody: what the harness costs */
	BENCH_FLOOR,		/* an array for each CPU, without protection */
	BENCH_MPSLAB,
	BENCH_KMEM_CACHE,
	BENCH_MPSLAB_POOL,
	BENCH_MEMPOOL,
	BENCH_NR
};

struct bench_workload {
	const char *name;	/* what is written to `run` */
	int (*run)(void);	/* in a thread bound to one CPU */
};

/* @milli_value is in thousandths of @unit. */
void bench_row(const char *workload, unsigned int size, unsigned int n,
	       const char *allocator, u64 milli_value, const char *unit);
const char *bench_name(enum bench_who who);
/* Does the clock count instructions?  Then one CPU is all there is. */
bool bench_counts_insns(void);
/* In nanoseconds, or instructions. */
u64 bench_clock(void);
/* How often all are measured, by turns, and the time that counts of them. */
#define BENCH_ROUNDS	21
u64 bench_median(u64 times[BENCH_ROUNDS]);

/* ----------------------------------------------------------- the allocators -- */

struct floor;

struct floor __percpu *floor_create(void);
void floor_destroy(struct floor __percpu *floor);
void *floor_alloc(struct floor __percpu *floor);
void floor_free(struct floor __percpu *floor, void *obj);

/**
 * struct bench_set - all that allocates objects of one size
 * @size: of an object, in bytes
 * @n: length of a burst, or whatever else the workload has a number of
 * @turns: how often a loop does what it does
 * @failed: an allocation failed; what was measured is worth nothing
 * @random: state of everybody's random numbers
 * @handle: cache, pool...; NULL for who takes no part
 * @objs: room for each to keep objects in
 */
struct bench_set {
	unsigned int size;
	unsigned int n;
	unsigned int turns;
	bool failed;
	u32 random[BENCH_NR];
	void *handle[BENCH_NR];
	void **objs[BENCH_NR];
};

/* Caches for objects of @size, and room for @room objects for each of them. */
int bench_set_init(struct bench_set *set, unsigned int size, unsigned int room);
/* The same with more SLAB_* flags, and with arrays of mpslab's that keep a size. */
int bench_set_init_with(struct bench_set *set, unsigned int size,
			unsigned int room, slab_flags_t flags,
			unsigned int capacity);
void bench_set_exit(struct bench_set *set);

static __always_inline void *bench_alloc(enum bench_who who, void *handle,
					 gfp_t gfp)
{
	switch (who) {
	case BENCH_FLOOR:
		return floor_alloc((struct floor __percpu __force *)handle);
	case BENCH_MPSLAB:
		return mpslab_cache_alloc(handle, gfp);
	case BENCH_KMEM_CACHE:
		return kmem_cache_alloc(handle, gfp);
	case BENCH_MPSLAB_POOL:
		return mpslab_pool_alloc(handle, gfp);
	case BENCH_MEMPOOL:
		return mempool_alloc(handle, gfp);
	default:
		OPTIMIZER_HIDE_VAR(handle);
		return handle;
	}
}

/*
 * Nobody looks for NULL first: that would be two instructions of the harness's,
 * and freeing NULL is loud enough.
 */
static __always_inline void bench_free(enum bench_who who, void *handle,
				       void *obj)
{
	switch (who) {
	case BENCH_FLOOR:
		floor_free((struct floor __percpu __force *)handle, obj);
		break;
	case BENCH_MPSLAB:
		mpslab_cache_free(handle, obj);
		break;
	case BENCH_KMEM_CACHE:
		kmem_cache_free(handle, obj);
		break;
	case BENCH_MPSLAB_POOL:
		mpslab_pool_free(obj, handle);
		break;
	case BENCH_MEMPOOL:
		mempool_free(obj, handle);
		break;
	default:
		barrier_data(obj);
	}
}

static __always_inline bool bench_alloc_bulk(enum bench_who who, void *handle,
					     gfp_t gfp, unsigned int nr,
					     void **objs)
{
	switch (who) {
	case BENCH_MPSLAB:
		return mpslab_cache_alloc_bulk(handle, gfp, nr, objs);
	case BENCH_KMEM_CACHE:
		return kmem_cache_alloc_bulk(handle, gfp, nr, objs);
	default:
		OPTIMIZER_HIDE_VAR(handle);
		return handle;
	}
}

static __always_inline void bench_free_bulk(enum bench_who who, void *handle,
					    unsigned int nr, void **objs)
{
	switch (who) {
	case BENCH_MPSLAB:
		mpslab_cache_free_bulk(handle, nr, objs);
		break;
	case BENCH_KMEM_CACHE:
		kmem_cache_free_bulk(handle, nr, objs);
		break;
	default:
		barrier_data(objs);
	}
}

/* -------------------------------------------------------------- measurement -- */

typedef void (*bench_loop_t)(struct bench_set *set);

/* The instance of a template for one allocator. */
#define BENCH_LOOP_OF(template, who, suffix)				\
	static noinline void template##_##suffix(struct bench_set *set)	\
	{								\
		template(who, set);					\
	}

/* template_loops[]: the instances for all that are caches. */
#define BENCH_CACHE_LOOPS(template)					\
	BENCH_LOOP_OF(template, BENCH_LOOP, loop)			\
	BENCH_LOOP_OF(template, BENCH_MPSLAB, mpslab)			\
	BENCH_LOOP_OF(template, BENCH_KMEM_CACHE, kmem_cache)		\
	static const bench_loop_t template##_loops[BENCH_NR] = {	\
		[BENCH_LOOP] = template##_loop,				\
		[BENCH_MPSLAB] = template##_mpslab,			\
		[BENCH_KMEM_CACHE] = template##_kmem_cache,		\
	}

/* The same with the floor, whose objects can be neither many nor zeroed. */
#define BENCH_FLOOR_LOOPS(template)					\
	BENCH_LOOP_OF(template, BENCH_LOOP, loop)			\
	BENCH_LOOP_OF(template, BENCH_FLOOR, floor)			\
	BENCH_LOOP_OF(template, BENCH_MPSLAB, mpslab)			\
	BENCH_LOOP_OF(template, BENCH_KMEM_CACHE, kmem_cache)		\
	static const bench_loop_t template##_loops[BENCH_NR] = {	\
		[BENCH_LOOP] = template##_loop,				\
		[BENCH_FLOOR] = template##_floor,			\
		[BENCH_MPSLAB] = template##_mpslab,			\
		[BENCH_KMEM_CACHE] = template##_kmem_cache,		\
	}

/* template_loops[]: the instances for all that are pools. */
#define BENCH_POOL_LOOPS(template)					\
	BENCH_LOOP_OF(template, BENCH_LOOP, loop)			\
	BENCH_LOOP_OF(template, BENCH_MPSLAB_POOL, mpslab_pool)		\
	BENCH_LOOP_OF(template, BENCH_MEMPOOL, mempool)			\
	static const bench_loop_t template##_loops[BENCH_NR] = {	\
		[BENCH_LOOP] = template##_loop,				\
		[BENCH_MPSLAB_POOL] = template##_mpslab_pool,		\
		[BENCH_MEMPOOL] = template##_mempool,			\
	}

/**
 * struct bench_case - what bench_measure() measures
 * @workload: its name, for the rows
 * @loops: one for each allocator, or NULL
 * @ops: operations in one call of a loop
 * @softirq: call the loops in softirq
 */
struct bench_case {
	const char *workload;
	const bench_loop_t *loops;
	unsigned int ops;
	bool softirq;
};

int bench_measure(struct bench_set *set, const struct bench_case *c);

/* Operations for one round, on objects of @size bytes. */
unsigned int bench_round(unsigned int size);

/* ---------------------------------------------------------------- workloads -- */

extern const struct bench_workload bench_pool[];
extern const struct bench_workload bench_ring[];
extern const struct bench_workload bench_scale[];
extern const struct bench_workload bench_slab[];
extern const struct bench_workload bench_memory[];
extern const struct bench_workload bench_wait[];

#endif /* MPSLAB_BENCH_H */
