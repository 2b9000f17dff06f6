// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are looked at: what clients do wrong with them is found, at the latest
 * when they leave their CPU's array.
 */
#include <kunit/test.h>
#include <linux/kasan.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fixtures.h"

/* ----------------------------------------------------------------- wrong frees -- */

/* With another object in between, so that it is not the newest of the array. */
static void free_twice_seen_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_CHECKS);
	void *objs[2];

	take_objects(test, cache, objs, 2);
	mpslab_cache_free(cache, objs[0]);
	mpslab_cache_free(cache, objs[1]);
	mpslab_cache_free(cache, objs[0]);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_DOUBLE_FREE), 1L);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 1);
}

/* All that a client can free by mistake. */
struct wrong_frees {
	struct mpslab_cache *cache;
	struct mpslab_cache *other;
	void *objs[4];
	void *foreign;
	void *mem;
	void *far;
	void *page;
	unsigned long on_stack[8];
};

static void wrong_frees_init(struct kunit *test, struct wrong_frees *w)
{
	keep_quiet(test, w->cache);
	w->other = test_cache_quiet(test);
	w->mem = kmalloc(64, GFP_KERNEL);
	w->far = vmalloc(64);
	w->page = (void *)__get_free_page(GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, w->mem && w->far && w->page);
	take_objects(test, w->cache, w->objs, ARRAY_SIZE(w->objs));
	take_objects(test, w->other, &w->foreign, 1);
}

/* The second object is freed twice, with the third in between; the last stays. */
static void free_wrongly(void *arg)
{
	struct wrong_frees *w = arg;

	mpslab_cache_free(w->cache, w->objs[0] + 8);
	mpslab_cache_free(w->cache, w->foreign);
	mpslab_cache_free(w->cache, w->mem);
	mpslab_cache_free(w->cache, w->far);
	mpslab_cache_free(w->cache, w->page);
	mpslab_cache_free(w->cache, &w->on_stack[2]);
	mpslab_cache_free(w->cache, w->objs[1]);
	mpslab_cache_free(w->cache, w->objs[2]);
	mpslab_cache_free(w->cache, w->objs[1]);
}

static void expect_wrong_frees(struct kunit *test, struct wrong_frees *w)
{
	KUNIT_EXPECT_EQ(test, errors_of(w->cache, ERROR_INSIDE), 1L);
	KUNIT_EXPECT_EQ(test, errors_of(w->cache, ERROR_OTHER_CACHE), 1L);
	KUNIT_EXPECT_EQ(test, errors_of(w->cache, ERROR_NO_OBJECT), 4L);
	KUNIT_EXPECT_EQ(test, errors_of(w->cache, ERROR_DOUBLE_FREE), 1L);
	expect_balanced(test, w->cache, 2);
	expect_balanced(test, w->other, 1);
}

static void wrong_frees_end(struct kunit *test, struct wrong_frees *w)
{
	mpslab_cache_free(w->cache, w->objs[0]);
	mpslab_cache_free(w->cache, w->objs[3]);
	mpslab_cache_free(w->other, w->foreign);
	free_page((unsigned long)w->page);
	vfree(w->far);
	kfree(w->mem);
	test_cache_end(test, w->cache, 7);
	test_cache_end(test, w->other, 0);
}

/* Where the frees are made. */
typedef void (*run_in_t)(struct kunit *test, void (*fn)(void *arg), void *arg);

static void run_in_task(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

static void run_with_irqs_off(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	fn(arg);
	local_irq_restore(flags);
}

/* Looked at one by one: at once. */
static void expect_found_at_once(struct kunit *test, run_in_t run_in)
{
	struct wrong_frees w = { .cache = test_cache_debugged(test, DEBUG_CHECKS) };

	wrong_frees_init(test, &w);
	run_in(test, free_wrongly, &w);
	expect_wrong_frees(test, &w);
	wrong_frees_end(test, &w);
}

/* Else on their way home, which leads through a shared array of @factor batches. */
static void expect_found_at_home(struct kunit *test, run_in_t run_in,
				 unsigned int factor)
{
	struct wrong_frees w = { .cache = test_cache_small(test, factor) };

	wrong_frees_init(test, &w);
	run_in(test, free_wrongly, &w);
	cpu_cache_drain_local(w.cache);
	drain_shared(w.cache, ULONG_MAX);
	expect_wrong_frees(test, &w);
	wrong_frees_end(test, &w);
}

static void expect_found(struct kunit *test, run_in_t run_in)
{
	expect_found_at_once(test, run_in);
	expect_found_at_home(test, run_in, 0);
	expect_found_at_home(test, run_in, 2);
}

static void wrong_frees_in_a_task_found(struct kunit *test)
{
	expect_found(test, run_in_task);
}

static void wrong_frees_with_irqs_off_found(struct kunit *test)
{
	expect_found(test, run_with_irqs_off);
}

static void wrong_frees_in_softirq_found(struct kunit *test)
{
	expect_found(test, run_in_softirq);
}

static void wrong_frees_in_hardirq_found(struct kunit *test)
{
	need_hardirq(test);
	expect_found(test, run_in_hardirq);
}

/* Before objects were looked at, this came into the array; it must not come out. */
static void alloc_of_what_is_no_object_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	struct mpslab_cache *other = test_cache_quiet(test);
	void *obj, *foreign;

	take_objects(test, other, &foreign, 1);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, ac_push(&here(cache)->ac,
					here(cache)->ac.limit, foreign));
	here(cache)->stat.frees++;
	cache_set_work(cache, true);
	preempt_enable();
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	KUNIT_EXPECT_PTR_NE(test, obj, foreign);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_OTHER_CACHE), 1L);
	mpslab_cache_free(cache, obj);
	cache_set_work(cache, false);
	give_objects(other, &foreign, 1);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 1);
	test_cache_end(test, other, 0);
}

/* ---------------------------------------------------------------- wrong writes -- */

static void expect_red_zone(struct kunit *test, int offset)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_RED_ZONE);
	void *objs[3];

	take_objects(test, cache, objs, 3);
	((u8 *)objs[1])[offset] ^= 1;
	mpslab_cache_free(cache, objs[1]);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_RED_ZONE), 1L);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->aside), 1L);
	give_objects(cache, objs, 1);
	give_objects(cache, objs + 2, 1);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 1);
}

static void write_behind_the_end_seen_at_free(struct kunit *test)
{
	expect_red_zone(test, DEBUGGED_SIZE);
	expect_red_zone(test, DEBUGGED_SIZE + RED_ZONE_BYTES - 1);
}

static void write_before_the_start_seen_at_free(struct kunit *test)
{
	expect_red_zone(test, -1);
	expect_red_zone(test, -RED_ZONE_BYTES);
}

static void expect_poison(struct kunit *test, unsigned int offset)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_POISON);
	u8 *obj, *next;

	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	obj[offset] ^= 1;
	next = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, next);
	KUNIT_EXPECT_PTR_NE(test, next, obj);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_POISON), 1L);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->aside), 1L);
	mpslab_cache_free(cache, next);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 1);
}

static void write_after_free_seen_at_alloc(struct kunit *test)
{
	expect_poison(test, 0);
	expect_poison(test, DEBUGGED_SIZE - 1);
}

/* As write_after_free_seen_at_alloc(), but all or nothing. */
static void write_after_free_replaced_in_bulk(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_ALL);
	void *objs[20], *more[20];
	unsigned int i, k;

	take_objects(test, cache, objs, 20);
	mpslab_cache_free_bulk(cache, 20, objs);
	((u8 *)objs[3])[5] = 0;
	((u8 *)objs[7])[9] = 0;
	KUNIT_ASSERT_EQ(test, 20, mpslab_cache_alloc_bulk(cache, GFP_KERNEL, 20,
							  more));
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_PTR_NE(test, more[i], objs[3]);
		KUNIT_EXPECT_PTR_NE(test, more[i], objs[7]);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_PTR_NE(test, more[i], more[k]);
	}
	mpslab_cache_free_bulk(cache, 20, more);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_POISON), 2L);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 2);
}

static void stamp_ctor(void *obj)
{
	memset(obj, 0x5c, DEBUGGED_SIZE);
}

static void constructed_objects_stay_so(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_ctor(test, DEBUGGED_SIZE, 0, stamp_ctor);
	unsigned int turn;
	void *obj;

	keep_quiet(test, cache);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_ALL, 1), 0);
	for (turn = 0; turn < 3; turn++) {
		obj = mpslab_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, obj);
		KUNIT_EXPECT_TRUE(test, is_debugged(cache, obj));
		KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0x5c, DEBUGGED_SIZE));
		mpslab_cache_free(cache, obj);
	}
	test_cache_end(test, cache, 0);
}

/* A refused end changes nothing of what is known: what was damaged stays aside. */
static void destroy_refused_keeps_aside(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_ALL);
	void *objs[2], *more[40];

	take_objects(test, cache, objs, 2);
	((u8 *)objs[0])[-1] ^= 1;
	mpslab_cache_free(cache, objs[0]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->aside), 1L);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_IN_USE), 1L);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->aside), 1L);
	expect_balanced(test, cache, 1);
	take_objects(test, cache, more, ARRAY_SIZE(more));
	give_objects(cache, more, ARRAY_SIZE(more));
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_RED_ZONE), 1L);
	/* Its constructor may be gone, if it had one. */
	KUNIT_EXPECT_EQ(test, cache_force_grow(cache), -EBUSY);
	give_objects(cache, objs + 1, 1);
	test_cache_end(test, cache, 2);
}

static void alloc_node_of_what_was_written_to_is_of_no_other(struct kunit *test)
{
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_POISON);
	unsigned int nr = cache->debug_layout.geo.objects, got;
	void **objs = test_pointers(test, nr);
	u8 *obj;

	pin_to_this_cpu(test);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	obj[3] ^= 1;
	cpu_cache_drain_local(cache);
	/* All of the slab, up to that one. */
	for (got = 0; got < nr; got++) {
		objs[got] = mpslab_cache_alloc_node(cache, gfp, near_node());
		if (!objs[got])
			break;
	}
	KUNIT_EXPECT_LT(test, got, nr);
	KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_POISON), 1L);
	give_objects(cache, objs, got);
	test_cache_end(test, cache, 1);
}

/* ----------------------------------------------------------------------- tools -- */

#ifdef CONFIG_KASAN_GENERIC
static noinline __no_sanitize_address u8 shadow(const void *addr)
{
	return *(u8 *)kasan_mem_to_shadow(addr);
}
#else
static u8 shadow(const void *addr)
{
	return 0;
}
#endif

/* 20 bytes: two whole granules, half a one, and nobody's. */
static void kasan_knows_what_may_be_used(struct kunit *test)
{
	struct mpslab_cache *cache;
	void *obj;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC))
		kunit_skip(test, "needs a kernel that watches all accesses");
	cache = mpslab_cache_create("kunit-kasan", 20, 32, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0);
	KUNIT_EXPECT_EQ(test, shadow(obj + 8), 0);
	KUNIT_EXPECT_EQ(test, shadow(obj + 16), 4);
	KUNIT_EXPECT_EQ(test, shadow(obj + 24), 0xfc);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0xfb);
	KUNIT_EXPECT_EQ(test, shadow(obj + 16), 0xfb);
	/* What is debugged may be looked at. */
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_ALL, 1), 0);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0);
	KUNIT_EXPECT_EQ(test, shadow(obj + 16), 0);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_FALSE(test, cache_is_listed(cache));
}

#ifdef CONFIG_KMSAN
static noinline __no_sanitize_memory bool is_written(void *addr)
{
	return !*(u8 *)__msan_metadata_ptr_for_load_1(addr).shadow;
}
#else
static bool is_written(void *addr)
{
	return true;
}
#endif

static void kmsan_knows_what_was_written(struct kunit *test)
{
	struct mpslab_cache *cache;
	u8 *obj;

	if (!IS_ENABLED(CONFIG_KMSAN))
		kunit_skip(test, "needs a kernel that watches what is written");
	cache = test_cache(test, DEBUGGED_SIZE, 0);
	take_objects(test, cache, (void **)&obj, 1);
	KUNIT_EXPECT_FALSE(test, is_written(obj));
	obj[0] = 1;
	KUNIT_EXPECT_TRUE(test, is_written(obj));
	KUNIT_EXPECT_FALSE(test, is_written(obj + DEBUGGED_SIZE - 1));
	give_objects(cache, (void **)&obj, 1);
	KUNIT_EXPECT_FALSE(test, is_written(obj));
	obj = mpslab_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_TRUE(test, is_written(obj));
	KUNIT_EXPECT_TRUE(test, is_written(obj + DEBUGGED_SIZE - 1));
	give_objects(cache, (void **)&obj, 1);
	test_cache_end(test, cache, 0);
	/* A constructor's user relies on what it wrote. */
	cache = test_cache_ctor(test, DEBUGGED_SIZE, 0, stamp_ctor);
	take_objects(test, cache, (void **)&obj, 1);
	KUNIT_EXPECT_TRUE(test, is_written(obj + DEBUGGED_SIZE - 1));
	give_objects(cache, (void **)&obj, 1);
	KUNIT_EXPECT_TRUE(test, is_written(obj));
	test_cache_end(test, cache, 0);
}

static struct kunit_case slab_check_cases[] = {
	KUNIT_CASE(free_twice_seen_at_once),
	KUNIT_CASE(wrong_frees_in_a_task_found),
	KUNIT_CASE(wrong_frees_with_irqs_off_found),
	KUNIT_CASE(wrong_frees_in_softirq_found),
	KUNIT_CASE(wrong_frees_in_hardirq_found),
	KUNIT_CASE(alloc_of_what_is_no_object_refused),
	KUNIT_CASE(write_behind_the_end_seen_at_free),
	KUNIT_CASE(write_before_the_start_seen_at_free),
	KUNIT_CASE(write_after_free_seen_at_alloc),
	KUNIT_CASE(write_after_free_replaced_in_bulk),
	KUNIT_CASE(constructed_objects_stay_so),
	KUNIT_CASE(destroy_refused_keeps_aside),
	KUNIT_CASE(alloc_node_of_what_was_written_to_is_of_no_other),
	KUNIT_CASE(kasan_knows_what_may_be_used),
	KUNIT_CASE(kmsan_knows_what_was_written),
	{}
};

static struct kunit_suite slab_check_suite = {
	.name = "mpslab_slab_check",
	.test_cases = slab_check_cases,
};

kunit_test_suite(slab_check_suite);
