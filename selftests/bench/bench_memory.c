// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that the caches hold: pages that the kernel counts as slab, while
 * all of many objects are in use, when a random 95 % of them have been freed, and
 * when the cache has been shrunk.
 *
 * All is counted that came after the cache was asked for: descriptors, too.  One
 * allocator at a time; both free the same objects, by number.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/vmstat.h>

#include "bench.h"

#define MEMORY_SEED	20231
#define FREED_PERCENT	95

static unsigned int memory_objects = 1000000;
module_param(memory_objects, uint, 0444);
MODULE_PARM_DESC(memory_objects, "Objects in the workload memory; of 8 KiB the largest");

static const unsigned int memory_sizes[] = {
	8, 16, 32, 64, 96, 128, 192, 256, 320, 512, 700, 1024, 1500, 2048, 3000,
	4096, 5000, 8192,
};

/* What the kernel counts, with what its CPUs have not handed in yet. */
static long slab_pages(void)
{
	static const enum node_stat_item items[] = {
		NR_SLAB_UNRECLAIMABLE_B, NR_SLAB_RECLAIMABLE_B,
	};
	unsigned int i;
	long pages = 0;
	int nid, cpu;

	for (i = 0; i < ARRAY_SIZE(items); i++) {
		pages += global_node_page_state_pages(items[i]);
		for_each_online_node(nid)
			for_each_online_cpu(cpu)
				pages += per_cpu_ptr(NODE_DATA(nid)->per_cpu_nodestats,
						     cpu)->vm_node_stat_diff[items[i]];
	}
	return pages;
}

static void memory_row(const char *workload, const struct bench_set *set,
		       enum bench_who who, long before)
{
	long pages = max(slab_pages() - before, 0L);

	bench_row(workload, set->size, set->n, bench_name(who),
		  (u64)pages * 1000, "pages");
}

/* Put the objects in a random order, always the same. */
static void shuffle(void **objs, unsigned int n)
{
	struct rnd_state rnd;
	unsigned int i, other;

	prandom_seed_state(&rnd, MEMORY_SEED);
	for (i = n - 1; i; i--) {
		other = prandom_u32_state(&rnd) % (i + 1);
		swap(objs[i], objs[other]);
		if (!(i % 4096))
			cond_resched();
	}
}

static void free_some(struct bench_set *set, enum bench_who who, void **objs,
		      unsigned int n)
{
	while (n--) {
		if (who == BENCH_MPSLAB)
			mpslab_cache_free(set->handle[who], *objs++);
		else
			kmem_cache_free(set->handle[who], *objs++);
		if (!(n % 4096))
			cond_resched();
	}
}

/* Returns how many there were. */
static unsigned int alloc_all(struct bench_set *set, enum bench_who who,
			      void **objs)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		objs[i] = bench_alloc(who, set->handle[who], gfp);
		if (!objs[i])
			break;
		if (!(i % 4096))
			cond_resched();
	}
	return i;
}

static void shrink(struct bench_set *set, enum bench_who who)
{
	if (who == BENCH_MPSLAB)
		mpslab_cache_shrink(set->handle[who]);
	else
		kmem_cache_shrink(set->handle[who]);
}

static int measure_memory(struct bench_set *set, enum bench_who who,
			  void **objs)
{
	long before = slab_pages();
	unsigned int got = alloc_all(set, who, objs);
	unsigned int freed = got / 100 * FREED_PERCENT;

	if (got == set->n) {
		memory_row("memory_live", set, who, before);
		shuffle(objs, got);
		free_some(set, who, objs, freed);
		memory_row("memory_after_free", set, who, before);
		shrink(set, who);
		memory_row("memory_after_shrink", set, who, before);
		free_some(set, who, objs + freed, got - freed);
	} else {
		free_some(set, who, objs, got);
	}
	shrink(set, who);
	return got == set->n ? 0 : -ENOMEM;
}

static int measure_size(void **objs, unsigned int size)
{
	static const enum bench_who whose[] = { BENCH_MPSLAB, BENCH_KMEM_CACHE };
	struct bench_set set;
	unsigned int i;
	int err = bench_set_init(&set, size, 0);

	if (err)
		return err;
	set.n = memory_objects;
	for (i = 0; i < ARRAY_SIZE(whose) && !err; i++)
		err = measure_memory(&set, whose[i], objs);
	bench_set_exit(&set);
	return err;
}

static int run_memory(void)
{
	void **objs = kvcalloc(memory_objects, sizeof(*objs), GFP_KERNEL);
	unsigned int i;
	int err = 0;

	if (!objs)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(memory_sizes) && !err; i++)
		err = measure_size(objs, memory_sizes[i]);
	kvfree(objs);
	return err;
}

const struct bench_workload bench_memory[] = {
	{ "memory", run_memory },
	{}
};
