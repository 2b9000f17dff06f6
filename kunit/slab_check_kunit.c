// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are looked at: what clients do wrong with them, debugging switched
 * on and off under them, and who has them.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kasan.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fixtures.h"

#define SIZE	48
#define ALL	(DEBUG_CHECKS | DEBUG_RED_ZONE | DEBUG_POISON | DEBUG_USER)

static struct mpslab_cache *debugged_cache(struct kunit *test, u8 options)
{
	struct mpslab_cache *cache = test_cache(test, SIZE, 0);

	keep_quiet(test, cache);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, options, 1), 0);
	return cache;
}

static long errors_of(struct mpslab_cache *cache, enum cache_error error)
{
	return atomic_long_read(&cache->errors[error]);
}

static bool is_debugged(struct mpslab_cache *cache, void *obj)
{
	return obj_to_slab(cache, obj)->where & SLAB_DEBUGGED;
}

/* ----------------------------------------------------------------- wrong frees -- */

/* With another object in between, so that it is not the newest of the array. */
static void free_twice_seen_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_CHECKS);
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
	struct wrong_frees w = { .cache = debugged_cache(test, DEBUG_CHECKS) };

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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_RED_ZONE);
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
	expect_red_zone(test, SIZE);
	expect_red_zone(test, SIZE + RED_ZONE_BYTES - 1);
}

static void write_before_the_start_seen_at_free(struct kunit *test)
{
	expect_red_zone(test, -1);
	expect_red_zone(test, -RED_ZONE_BYTES);
}

static void expect_poison(struct kunit *test, unsigned int offset)
{
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_POISON);
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
	expect_poison(test, SIZE - 1);
}

/* As write_after_free_seen_at_alloc(), but all or nothing. */
static void write_after_free_replaced_in_bulk(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, ALL);
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
	memset(obj, 0x5c, SIZE);
}

static void constructed_objects_stay_so(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_ctor(test, SIZE, 0, stamp_ctor);
	unsigned int turn;
	void *obj;

	keep_quiet(test, cache);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, ALL, 1), 0);
	for (turn = 0; turn < 3; turn++) {
		obj = mpslab_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, obj);
		KUNIT_EXPECT_TRUE(test, is_debugged(cache, obj));
		KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0x5c, SIZE));
		mpslab_cache_free(cache, obj);
	}
	test_cache_end(test, cache, 0);
}

/* A refused end changes nothing of what is known: what was damaged stays aside. */
static void destroy_refused_keeps_aside(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, ALL);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_POISON);
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
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, ALL, 1), 0);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0);
	KUNIT_EXPECT_EQ(test, shadow(obj + 16), 0);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, shadow(obj), 0);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_FALSE(test, cache_is_listed(cache));
}

/* ------------------------------------------------------------------- switching -- */

static void flags_of_creation_count(struct kunit *test)
{
	struct mpslab_cache *cache;
	void *obj;

	cache = test_cache(test, SIZE, SLAB_RED_ZONE | SLAB_POISON |
				       SLAB_STORE_USER | SLAB_CONSISTENCY_CHECKS);
	KUNIT_EXPECT_EQ(test, cache->debug, ALL);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_TRUE(test, is_debugged(cache, obj));
	mpslab_cache_free(cache, obj);
	test_cache_end(test, cache, 0);
}

static void switched_on_old_slabs_age_out(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	unsigned int i, nr = 3 * cache->best.objects;
	void **old = test_pointers(test, nr), **new = test_pointers(test, nr);

	/* Every second is kept, so that no slab is empty when it is switched on. */
	take_objects(test, cache, old, nr);
	for (i = 0; i < nr; i += 2)
		mpslab_cache_free(cache, old[i]);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, ALL, 1), 0);
	take_objects(test, cache, new, nr);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, is_debugged(cache, new[i]));
	for (i = 1; i < nr; i += 2)
		mpslab_cache_free(cache, old[i]);
	give_objects(cache, new, nr);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void switched_off_looks_until_the_last_slab(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, ALL);
	void *old, *new;

	take_objects(test, cache, &old, 1);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, cache->look);
	take_objects(test, cache, &new, 1);
	KUNIT_EXPECT_FALSE(test, is_debugged(cache, new));
	((u8 *)old)[SIZE] ^= 1;
	((u8 *)old)[SIZE] ^= 1;
	give_objects(cache, &old, 1);
	give_objects(cache, &new, 1);
	mpslab_cache_shrink(cache);
	KUNIT_EXPECT_EQ(test, atomic_read(&cache->nr_debugged), 0);
	cache_debug_settle(cache);
	KUNIT_EXPECT_FALSE(test, cache->look);
	take_objects(test, cache, &new, 1);
	give_objects(cache, &new, 1);
	test_cache_end(test, cache, 0);
}

/* However often it was switched in between, which no count of some bits can tell. */
static void switched_often_old_slabs_stay_old(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	unsigned int i, nr = 2 * cache->best.objects;
	void **objs = test_pointers(test, nr);
	void *old;

	take_objects(test, cache, &old, 1);
	for (i = 0; i < 256; i++)
		KUNIT_ASSERT_EQ(test, 0, cache_debug_set(cache, i % 2 ?
							 DEBUG_RED_ZONE :
							 DEBUG_CHECKS, 1));
	take_objects(test, cache, objs, nr);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, is_debugged(cache, objs[i]));
	give_objects(cache, objs, nr);
	give_objects(cache, &old, 1);
	test_cache_end(test, cache, 0);
}

/* One that was left for good is not taken from either, and goes when it is empty. */
static void switched_back_stale_slabs_go(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_CHECKS);
	void *old, *new;

	home(cache)->free_limit = ULONG_MAX;
	take_objects(test, cache, &old, 1);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_RED_ZONE, 1), 0);
	take_objects(test, cache, &new, 1);
	KUNIT_EXPECT_TRUE(test, obj_to_slab(cache, old)->where & SLAB_STALE);
	KUNIT_EXPECT_FALSE(test, obj_to_slab(cache, new)->where & SLAB_STALE);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_CHECKS, 1), 0);
	give_objects(cache, &old, 1);
	cpu_cache_drain_local(cache);
	drain_shared(cache, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, home(cache)->nr_free, 0UL);
	give_objects(cache, &new, 1);
	test_cache_end(test, cache, 0);
}

/* Asked for at creation, where nobody is given an error. */
static void flags_in_vain_are_noted(struct kunit *test)
{
	struct mpslab_cache *cache;
	unsigned int noted;

	if (!IS_ENABLED(CONFIG_PRINTK))
		kunit_skip(test, "needs a kernel that keeps a log");
	noted = log_lines("are too large to be debugged");
	cache = test_cache(test, KMALLOC_MAX_SIZE, SLAB_RED_ZONE);
	KUNIT_EXPECT_EQ(test, cache->debug, 0);
	KUNIT_EXPECT_EQ(test, log_lines("are too large to be debugged"), noted + 1);
	KUNIT_EXPECT_EQ(test, cache_debug_set(cache, DEBUG_CHECKS, 1), -EOPNOTSUPP);
	test_cache_end(test, cache, 0);
	cache = test_cache(test, KMALLOC_MAX_SIZE, 0);
	test_cache_end(test, cache, 0);
	cache = test_cache(test, SIZE, SLAB_RED_ZONE);
	test_cache_end(test, cache, 0);
	KUNIT_EXPECT_EQ(test, log_lines("are too large to be debugged"), noted + 1);
}

static void parsing_takes_letters(struct kunit *test)
{
	char text[DEBUG_TEXT_LEN];
	u8 options;

	KUNIT_EXPECT_EQ(test, debug_parse("FZPU", 4, &options), 0);
	KUNIT_EXPECT_EQ(test, options, ALL);
	debug_print(options, text);
	KUNIT_EXPECT_STREQ(test, text, "FZPU");
	KUNIT_EXPECT_EQ(test, debug_parse("u", 1, &options), 0);
	KUNIT_EXPECT_EQ(test, options, DEBUG_USER);
	KUNIT_EXPECT_EQ(test, debug_parse("-", 1, &options), 0);
	KUNIT_EXPECT_EQ(test, options, 0);
	debug_print(options, text);
	KUNIT_EXPECT_STREQ(test, text, "-");
	KUNIT_EXPECT_EQ(test, debug_parse("", 0, &options), -EINVAL);
	KUNIT_EXPECT_EQ(test, debug_parse("FX", 2, &options), -EINVAL);
	KUNIT_EXPECT_EQ(test, debug_parse("F-", 2, &options), -EINVAL);
}

static void parameter_knows_names(struct kunit *test)
{
	static const char text[] = "FZ,nvme*,dm-?;U,foo";

	KUNIT_EXPECT_EQ(test, debug_for_name(text, "nvme_rq"),
			DEBUG_CHECKS | DEBUG_RED_ZONE);
	KUNIT_EXPECT_EQ(test, debug_for_name(text, "dm-3"),
			DEBUG_CHECKS | DEBUG_RED_ZONE);
	KUNIT_EXPECT_EQ(test, debug_for_name(text, "dm-33"), 0);
	KUNIT_EXPECT_EQ(test, debug_for_name(text, "foo"), DEBUG_USER);
	KUNIT_EXPECT_EQ(test, debug_for_name(text, "fo"), 0);
	KUNIT_EXPECT_EQ(test, debug_for_name("P", "anything"), DEBUG_POISON);
	KUNIT_EXPECT_EQ(test, debug_for_name("", "anything"), 0);
}

/* ---------------------------------------------------------------------- walking -- */

static void validate_finds_what_nobody_came_across(struct kunit *test)
{
	struct mpslab_cache *cache = debugged_cache(test, ALL);
	struct validation v;
	void *objs[30];

	take_objects(test, cache, objs, 30);
	give_objects(cache, objs + 20, 10);
	cache_validate(cache, &v);
	KUNIT_EXPECT_GT(test, v.slabs, 0UL);
	KUNIT_EXPECT_EQ(test, v.debugged, v.slabs);
	KUNIT_EXPECT_GE(test, v.objects, 30UL);
	KUNIT_EXPECT_EQ(test, v.wrong, 0UL);
	((u8 *)objs[4])[-1] ^= 1;	/* in use */
	((u8 *)objs[25])[1] ^= 1;	/* free */
	cache_validate(cache, &v);
	KUNIT_EXPECT_EQ(test, v.wrong, 2UL);
	((u8 *)objs[4])[-1] ^= 1;
	((u8 *)objs[25])[1] ^= 1;
	give_objects(cache, objs, 20);
	test_cache_end(test, cache, 2);
}

/* Of a plain slab, too; and none of its words is trusted. */
static void validate_finds_a_descriptor_written_over(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	struct mpslab_slab *slab, good;
	struct validation v;
	unsigned int i;
	void *obj;

	take_objects(test, cache, &obj, 1);
	slab = obj_to_slab(cache, obj);
	good = *slab;
	for (i = 0; i < 4; i++) {
		switch (i) {
		case 0:
			slab->inuse ^= 1;
			break;
		case 1:
			slab->page = (struct page *)8;
			break;
		case 2:
			slab->cache = NULL;
			break;
		case 3:
			slab->objects = U16_MAX;
			break;
		}
		cache_validate(cache, &v);
		*slab = good;
		KUNIT_EXPECT_EQ(test, v.wrong, 1UL);
		KUNIT_EXPECT_EQ(test, errors_of(cache, ERROR_DESCRIPTOR), i + 1L);
	}
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 4);
}

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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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
	struct mpslab_cache *cache = debugged_cache(test, DEBUG_USER);
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

/* ------------------------------------------------------------------- shuffling -- */

/* One run of a slab in order is no proof that none is shuffled; eight are. */
static void new_slabs_are_shuffled(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	unsigned int nr = cache->best.objects, turn, i, in_order = 0;
	void **objs = test_pointers(test, nr);

	for (turn = 0; turn < 8; turn++) {
		take_objects(test, cache, objs, nr);
		for (i = 1; i < nr; i++)
			in_order += abs(objs[i] - objs[i - 1]) == cache->size;
		give_objects(cache, objs, nr);
		mpslab_cache_shrink(cache);
	}
	KUNIT_EXPECT_LT(test, in_order, 8 * nr / 4);
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
	KUNIT_CASE(flags_of_creation_count),
	KUNIT_CASE(switched_on_old_slabs_age_out),
	KUNIT_CASE(switched_off_looks_until_the_last_slab),
	KUNIT_CASE(switched_often_old_slabs_stay_old),
	KUNIT_CASE(switched_back_stale_slabs_go),
	KUNIT_CASE(flags_in_vain_are_noted),
	KUNIT_CASE(parsing_takes_letters),
	KUNIT_CASE(parameter_knows_names),
	KUNIT_CASE(validate_finds_what_nobody_came_across),
	KUNIT_CASE(validate_finds_a_descriptor_written_over),
	KUNIT_CASE(traces_add_up),
	KUNIT_CASE(traces_are_sampled),
	KUNIT_CASE(traces_are_in_order),
	KUNIT_CASE(traces_untraced_are_many_but_not_old),
	KUNIT_CASE(traces_say_when),
	KUNIT_CASE(traces_say_who),
	KUNIT_CASE(new_slabs_are_shuffled),
	{}
};

static struct kunit_suite slab_check_suite = {
	.name = "mpslab_slab_check",
	.test_cases = slab_check_cases,
};

kunit_test_suite(slab_check_suite);
