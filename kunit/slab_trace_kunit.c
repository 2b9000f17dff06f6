// SPDX-License-Identifier: GPL-2.0
/*
 * Who has the objects, and who freed them: sums by stack.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>

#include "fixtures.h"

static unsigned long traced(struct kunit *test, struct mpslab_cache *cache,
			    enum trace_kind kind, unsigned long *untraced)
{
	struct traces *traces = traces_collect(cache, kind);
	unsigned long sum = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, traces);
	*untraced = 0;
	for (i = 0; i < traces->nr; i++) {
		sum += traces->sums[i]->oldest ? traces->sums[i]->count : 0;
		*untraced += traces->sums[i]->oldest ? 0 : traces->sums[i]->count;
	}
	traces_free(traces);
	return sum;
}

static void traces_add_up(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	unsigned long untraced;
	void *objs[40];

	take_objects(test, cache, objs, 40);
	KUNIT_EXPECT_EQ(test, traced(test, cache, TRACE_ALLOCS, &untraced), 40UL);
	KUNIT_EXPECT_EQ(test, untraced, 0UL);
	KUNIT_EXPECT_EQ(test, traced(test, cache, TRACE_FREES, &untraced), 0UL);
	give_objects(cache, objs, 15);
	KUNIT_EXPECT_EQ(test, traced(test, cache, TRACE_LEAKS, &untraced), 25UL);
	KUNIT_EXPECT_EQ(test, traced(test, cache, TRACE_FREES, &untraced), 15UL);
	give_objects(cache, objs + 15, 25);
	test_cache_end(test, cache, 0);
}

static void traces_are_sampled(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	unsigned int nr = 4 * cache->debug_layout.geo.objects;
	void **objs = test_pointers(test, nr);
	unsigned long sum, untraced;

	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_USER, 8), 0);
	take_objects(test, cache, objs, nr);
	sum = traced(test, cache, TRACE_ALLOCS, &untraced);
	KUNIT_EXPECT_EQ(test, sum + untraced, (unsigned long)nr);
	KUNIT_EXPECT_LE(test, abs((long)sum - (long)nr / 8), 4L);
	give_objects(cache, objs, nr);
	test_cache_end(test, cache, 0);
}

static struct obj_track *track_of(struct mpslab_cache *cache, void *obj,
				  bool freed)
{
	struct mpslab_slab *slab = obj_to_slab(cache, obj);

	return slab_track(slab, slab_index(slab, obj), freed);
}

/* As if a caller of that stack had taken them; not every kernel tells callers apart. */
static void take_as(struct kunit *test, struct mpslab_cache *cache, void **objs,
		    unsigned int nr, depot_stack_handle_t stack)
{
	take_objects(test, cache, objs, nr);
	while (nr--)
		track_of(cache, *objs++, false)->stack = stack;
}

static void give_as(struct mpslab_cache *cache, void **objs, unsigned int nr,
		    depot_stack_handle_t stack)
{
	give_objects(cache, objs, nr);
	while (nr--)
		track_of(cache, *objs++, true)->stack = stack;
}

/* What sampling does with those that it leaves out. */
static void take_untraced(struct kunit *test, struct mpslab_cache *cache,
			  void **objs, unsigned int nr)
{
	struct obj_track *track;

	take_objects(test, cache, objs, nr);
	while (nr--) {
		track = track_of(cache, *objs++, false);
		memset(track, 0, sizeof(*track));
	}
}

static struct traces *collect(struct kunit *test, struct mpslab_cache *cache,
			      enum trace_kind kind, unsigned int nr)
{
	struct traces *traces = traces_collect(cache, kind);

	KUNIT_ASSERT_NOT_NULL(test, traces);
	KUNIT_ASSERT_EQ(test, traces->nr, nr);
	return traces;
}

/* @order: the stacks' numbers, as digits. */
static void expect_order(struct kunit *test, struct mpslab_cache *cache,
			 enum trace_kind kind, const char *order)
{
	struct traces *traces = collect(test, cache, kind, strlen(order));
	unsigned int i;

	for (i = 0; order[i]; i++)
		KUNIT_EXPECT_EQ_MSG(test, traces->sums[i]->stack,
				    (depot_stack_handle_t)(order[i] - '0'),
				    "kind %d, place %u of %s", kind, i, order);
	traces_free(traces);
}

static void traces_are_in_order(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	void *objs[12];

	take_as(test, cache, objs, 3, 1);
	msleep(20);
	take_as(test, cache, objs + 3, 5, 2);
	msleep(20);
	take_as(test, cache, objs + 8, 4, 3);
	expect_order(test, cache, TRACE_ALLOCS, "231");
	expect_order(test, cache, TRACE_LEAKS, "123");
	give_as(cache, objs, 3, 1);
	give_as(cache, objs + 3, 5, 2);
	give_as(cache, objs + 8, 4, 3);
	expect_order(test, cache, TRACE_FREES, "231");
	test_cache_end(test, cache, 0);
}

/* Of those that were not traced nobody knows the age; the others' stack may be lost. */
static void traces_untraced_are_many_but_not_old(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	struct traces *traces;
	void *objs[9];

	take_untraced(test, cache, objs, 4);
	take_as(test, cache, objs + 4, 2, 1);
	msleep(20);
	take_as(test, cache, objs + 6, 3, 0);
	expect_order(test, cache, TRACE_ALLOCS, "001");
	traces = collect(test, cache, TRACE_ALLOCS, 3);
	KUNIT_EXPECT_EQ(test, traces->sums[0]->oldest, 0ULL);
	KUNIT_EXPECT_EQ(test, traces->sums[0]->count, 4UL);
	KUNIT_EXPECT_TRUE(test, cpumask_empty(traces->sums[0]->cpus));
	traces_free(traces);
	expect_order(test, cache, TRACE_LEAKS, "100");
	traces = collect(test, cache, TRACE_LEAKS, 3);
	KUNIT_EXPECT_EQ(test, traces->sums[2]->oldest, 0ULL);
	traces_free(traces);
	give_objects(cache, objs, 9);
	test_cache_end(test, cache, 0);
}

static void traces_say_when(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	struct traces *traces;
	struct trace_sum *sum;
	void *objs[3];
	u64 at[3];

	at[0] = local_clock();
	take_as(test, cache, objs, 1, 1);
	at[1] = local_clock();
	msleep(20);
	take_as(test, cache, objs + 1, 1, 1);
	msleep(20);
	at[2] = local_clock();
	take_as(test, cache, objs + 2, 1, 1);
	traces = collect(test, cache, TRACE_LEAKS, 1);
	sum = traces->sums[0];
	KUNIT_EXPECT_EQ(test, sum->count, 3UL);
	KUNIT_EXPECT_GE(test, sum->oldest, at[0]);
	KUNIT_EXPECT_LE(test, sum->oldest, at[1]);
	KUNIT_EXPECT_GE(test, sum->newest, at[2]);
	KUNIT_EXPECT_LE(test, sum->newest, traces->now);
	KUNIT_EXPECT_LE(test, traces->now, local_clock());
	traces_free(traces);
	give_objects(cache, objs, 3);
	test_cache_end(test, cache, 0);
}

struct taker {
	struct mpslab_cache *cache;
	void *obj;
	pid_t pid;
	int cpu;
};

static void take_one(struct crew_member *me)
{
	struct taker *taker = me->data;

	taker->obj = mpslab_cache_alloc(taker->cache, GFP_KERNEL);
	crew_expect(me, taker->obj);
	taker->pid = task_pid_nr(current);
	taker->cpu = raw_smp_processor_id();
}

/* Two tasks, each on a CPU of its own, and neither this one. */
static void traces_say_who(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_USER);
	struct taker a = { .cache = cache }, b = { .cache = cache };
	const struct crew_job jobs[] = {
		{ .fn = take_one, .data = &a, .cpu = 0 },
		{ .fn = take_one, .data = &b, .cpu = 1 },
	};
	struct traces *traces;
	struct trace_sum *sum;

	need_cpus(test, 2);
	crew_run(test, jobs, ARRAY_SIZE(jobs), 100);
	KUNIT_ASSERT_TRUE(test, a.obj && b.obj);
	track_of(cache, a.obj, false)->stack = 1;
	track_of(cache, b.obj, false)->stack = 1;
	traces = collect(test, cache, TRACE_ALLOCS, 1);
	sum = traces->sums[0];
	KUNIT_EXPECT_EQ(test, sum->count, 2UL);
	KUNIT_EXPECT_EQ(test, sum->pid_min, min(a.pid, b.pid));
	KUNIT_EXPECT_EQ(test, sum->pid_max, max(a.pid, b.pid));
	KUNIT_EXPECT_EQ(test, cpumask_weight(sum->cpus), 2U);
	KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(a.cpu, sum->cpus));
	KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(b.cpu, sum->cpus));
	traces_free(traces);
	give_objects(cache, &a.obj, 1);
	give_objects(cache, &b.obj, 1);
	test_cache_end(test, cache, 0);
}

static struct kunit_case slab_trace_cases[] = {
	KUNIT_CASE(traces_add_up),
	KUNIT_CASE(traces_are_sampled),
	KUNIT_CASE(traces_are_in_order),
	KUNIT_CASE(traces_untraced_are_many_but_not_old),
	KUNIT_CASE(traces_say_when),
	KUNIT_CASE(traces_say_who),
	{}
};

static struct kunit_suite slab_trace_suite = {
	.name = "mpslab_slab_trace",
	.test_cases = slab_trace_cases,
};

kunit_test_suite(slab_trace_suite);
