// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a cache's objects, or freed them last: added up by stack.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/xarray.h>

#include "internal.h"

/* Stacks that a report shows. */
#define REPORT_STACKS		5U

/* While they are collected: the sums by stack, and the slab that is next. */
struct collection {
	enum trace_kind kind;
	struct xarray sums;
	unsigned int nr;		/* of sums */
	unsigned int nr_tracks;
	struct obj_track track[DEBUG_OBJECTS];
};

/* Under list_lock, where nothing can be added up: copy what the slab knows. */
static bool copy_tracks(struct mpslab_slab *slab, void *data)
{
	struct collection *c = data;
	bool freed = c->kind == TRACE_FREES;
	struct obj_track *t;
	unsigned int i;

	c->nr_tracks = 0;
	for (i = 0; i < slab->objects; i++) {
		if (freed == check_in_use(slab, i))
			continue;
		t = slab_track(slab, i, freed);
		/* Of objects that were never in use there is nothing to say. */
		if (freed && !(t && data_race(t->when)))
			continue;
		/* An object that changes hands this very moment may be torn. */
		c->track[c->nr_tracks++] = t ? data_race(*t) :
					       (struct obj_track){ };
	}
	return true;
}

/* Those that were not traced are not those whose stack could not be kept. */
static unsigned long sum_index(const struct obj_track *t)
{
	return t->when ? t->stack : U32_MAX;
}

static struct trace_sum *sum_of(struct collection *c, const struct obj_track *t)
{
	struct trace_sum *sum = xa_load(&c->sums, sum_index(t));

	if (sum)
		return sum;
	sum = setup_alloc(kzalloc(sizeof(*sum) + cpumask_size(), GFP_KERNEL));
	if (!sum)
		return NULL;
	sum->stack = t->stack;
	sum->oldest = U64_MAX;
	sum->pid_min = INT_MAX;
	sum->cpus = (struct cpumask *)(sum + 1);
	if (fault_setup() ||
	    xa_err(xa_store(&c->sums, sum_index(t), sum, GFP_KERNEL))) {
		kfree(sum);
		return NULL;
	}
	c->nr++;
	return sum;
}

static bool add_tracks(void *data)
{
	struct collection *c = data;
	struct trace_sum *sum;
	struct obj_track *t;

	for (t = c->track; t < c->track + c->nr_tracks; t++) {
		sum = sum_of(c, t);
		if (!sum)
			return false;
		sum->count++;
		sum->oldest = min(sum->oldest, t->when);
		sum->newest = max(sum->newest, t->when);
		sum->pid_min = min(sum->pid_min, t->pid);
		sum->pid_max = max(sum->pid_max, t->pid);
		if (t->when && (unsigned int)t->cpu < nr_cpu_ids)
			cpumask_set_cpu(t->cpu, sum->cpus);
	}
	return true;
}

static int most_first(const void *a, const void *b)
{
	const struct trace_sum *x = *(const struct trace_sum **)a;
	const struct trace_sum *y = *(const struct trace_sum **)b;

	return (x->count < y->count) - (x->count > y->count);
}

/* Those that were not traced have no age, and come last. */
static int oldest_first(const void *a, const void *b)
{
	const struct trace_sum *x = *(const struct trace_sum **)a;
	const struct trace_sum *y = *(const struct trace_sum **)b;

	if (!x->oldest || !y->oldest)
		return !x->oldest - !y->oldest;
	return (x->oldest > y->oldest) - (x->oldest < y->oldest);
}

static void collection_free(struct collection *c)
{
	struct trace_sum *sum;
	unsigned long stack;

	xa_for_each(&c->sums, stack, sum)
		kfree(sum);
	xa_destroy(&c->sums);
	kfree(c);
}

/* The sums move from the collection to an array in order. */
static struct traces *collection_sort(struct collection *c)
{
	struct traces *traces = setup_alloc(kzalloc(sizeof(*traces), GFP_KERNEL));
	struct trace_sum *sum;
	unsigned long stack;

	if (!traces)
		return NULL;
	traces->kind = c->kind;
	traces->now = local_clock();
	traces->sums = setup_alloc(kvmalloc_array(max(c->nr, 1U), sizeof(sum),
						  GFP_KERNEL));
	if (!traces->sums) {
		kfree(traces);
		return NULL;
	}
	xa_for_each(&c->sums, stack, sum) {
		traces->sums[traces->nr++] = sum;
		xa_erase(&c->sums, stack);
	}
	sort(traces->sums, traces->nr, sizeof(sum),
	     c->kind == TRACE_LEAKS ? oldest_first : most_first, NULL);
	return traces;
}

/**
 * traces_init() - have a place for stacks
 *
 * For whoever wants some kept first: it takes up to some megabytes, which nobody
 * gives back, and a kernel that lacks them keeps no more stacks for anybody.
 *
 * Context: task; sleeps.
 * Return: 0 or -ENOMEM.
 */
int traces_init(void)
{
	return fault_setup() ? -ENOMEM : stack_depot_init();
}

/**
 * traces_collect() - add up a cache's objects by stack
 * @cache: the cache, which may be in use
 * @kind: objects in use by who allocated them, most first or oldest first, or
 *	free ones by who freed them
 *
 * Context: task; sleeps.
 * Return: the sums, for traces_free(), or NULL without memory.
 */
struct traces *traces_collect(struct mpslab_cache *cache, enum trace_kind kind)
{
	struct collection *c = setup_alloc(kzalloc(sizeof(*c), GFP_KERNEL));
	struct traces *traces = NULL;

	if (!c)
		return NULL;
	c->kind = kind;
	xa_init(&c->sums);
	if (walk_debugged(cache, copy_tracks, add_tracks, c))
		traces = collection_sort(c);
	collection_free(c);
	return traces;
}
EXPORT_SYMBOL_IF_KUNIT(traces_collect);

/**
 * traces_free() - free what traces_collect() returned
 * @traces: the sums; NULL is fine
 */
void traces_free(struct traces *traces)
{
	unsigned int i;

	if (!traces)
		return;
	for (i = 0; i < traces->nr; i++)
		kfree(traces->sums[i]);
	kvfree(traces->sums);
	kfree(traces);
}
EXPORT_SYMBOL_IF_KUNIT(traces_free);

static void print_sum(const struct traces *traces, const struct trace_sum *sum)
{
	unsigned long *entries;
	unsigned int nr;

	if (!sum->oldest) {
		pr_err("    %lu object(s) not traced\n", sum->count);
		return;
	}
	pr_err("    %lu object(s), the oldest allocated %llu ms ago:\n",
	       sum->count, div_u64(age_ns(traces->now, sum->oldest),
				   NSEC_PER_MSEC));
	nr = compat_stack_fetch(sum->stack, &entries);
	while (nr--)
		pr_err("      %pS\n", (void *)*entries++);
}

/**
 * report_leaks() - say who allocated the objects of a cache that is to go
 * @cache: the cache
 *
 * The oldest first, a few stacks; those of debugged slabs only, as nobody knows
 * of the others.
 *
 * Context: task; sleeps.
 */
void report_leaks(struct mpslab_cache *cache)
{
	struct traces *traces = traces_collect(cache, TRACE_LEAKS);
	unsigned int i;

	if (!traces)
		return;
	for (i = 0; i < min(traces->nr, REPORT_STACKS); i++)
		print_sum(traces, traces->sums[i]);
	if (traces->nr > REPORT_STACKS)
		pr_err("    and %u more stacks\n", traces->nr - REPORT_STACKS);
	traces_free(traces);
}
