// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a cache: creation and what it refuses, names, tuning, ageing,
 * shrinking, destruction.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "fixtures.h"

static struct mpslab_cache *create(const char *name)
{
	return mpslab_cache_create(name, 64, 0, 0, NULL);
}

/* ---------------------------------------------------------------- creation -- */

static void empty_ctor(void *obj)
{
}

static void create_bad_arguments_refused(struct kunit *test)
{
	static const struct {
		const char *name;
		unsigned int size, align;
		slab_flags_t flags;
	} bad[] = {
		{ NULL, 64, 0, 0 },
		{ "", 64, 0, 0 },
		{ "kunit-bad", 0, 0, 0 },
		{ "kunit-bad", UINT_MAX, 0, 0 },
		{ "kunit-bad", KMALLOC_MAX_SIZE + 1, 0, 0 },
		{ "kunit-bad", 64, 3, 0 },
		{ "kunit-bad", 64, 24, 0 },
		{ "kunit-bad", 64, 2 * KMALLOC_MAX_SIZE, 0 },
		{ "kunit-bad", 64, 0, (__force slab_flags_t)0x80000000U },
		{ "kunit-bad", 64, 0, SLAB_CACHE_DMA | SLAB_CACHE_DMA32 },
	};
	unsigned int i, nr = ARRAY_SIZE(bad), listed = caches_listed();
	unsigned long reports = usage_bugs();
	struct mpslab_cache *cache;

	/* The two zones are one or none where the kernel has no DMA zones. */
	if (!SLAB_CACHE_DMA || !SLAB_CACHE_DMA32)
		nr--;
	for (i = 0; i < nr; i++) {
		cache = mpslab_cache_create(bad[i].name, bad[i].size,
					    bad[i].align, bad[i].flags, NULL);
		KUNIT_EXPECT_PTR_EQ_MSG(test, cache, NULL, "line %u", i);
		KUNIT_EXPECT_EQ_MSG(test, usage_bugs(), ++reports, "line %u", i);
		mpslab_cache_destroy(cache);
	}
	KUNIT_EXPECT_EQ(test, caches_listed(), listed);
}

static void create_bad_usercopy_refused(struct kunit *test)
{
	struct mpslab_cache_args args = { .usersize = 65 };
	unsigned long reports = usage_bugs();

	KUNIT_EXPECT_NULL(test, mpslab_cache_create_args("kunit-bad", 64, &args,
							 0));
	args.usersize = 32;
	args.useroffset = 33;
	KUNIT_EXPECT_NULL(test, mpslab_cache_create_args("kunit-bad", 64, &args,
							 0));
	args.useroffset = UINT_MAX;
	KUNIT_EXPECT_NULL(test, mpslab_cache_create_args("kunit-bad", 64, &args,
							 0));
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 3UL);
}

static void create_args_are_taken(struct kunit *test)
{
	struct mpslab_cache_args args = {
		.align = 512,
		.useroffset = 32,
		.usersize = 32,
		.ctor = empty_ctor,
		.sheaf_capacity = 33,
	};
	struct mpslab_cache *cache;

	cache = mpslab_cache_create_args("kunit-args", 64, &args, 0);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, cache->align, 512U);
	KUNIT_EXPECT_PTR_EQ(test, cache->ctor, &empty_ctor);
	KUNIT_EXPECT_EQ(test, cache->limit, 33U);
	KUNIT_EXPECT_LE(test, cache->batchcount, 33U);
	mpslab_cache_destroy(cache);
	cache = mpslab_cache_create_args("kunit-args", 64, NULL, 0);
	KUNIT_EXPECT_NOT_NULL(test, cache);
	mpslab_cache_destroy(cache);
}

static void create_huge_capacity_is_bounded(struct kunit *test)
{
	struct mpslab_cache_args args = { .sheaf_capacity = UINT_MAX };
	struct mpslab_cache *cache;

	cache = mpslab_cache_create_args("kunit-args", 64, &args, 0);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, cache->limit, (unsigned int)CPU_LIMIT_MAX);
	mpslab_cache_destroy(cache);
}

struct kunit_example {
	u64 first;
	u8 last;
} __aligned(32);

static void cache_macro_names_sizes_and_aligns(struct kunit *test)
{
	struct mpslab_cache *cache = MPSLAB_CACHE(kunit_example, 0);

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_STREQ(test, cache->name, "kunit_example");
	KUNIT_EXPECT_EQ(test, mpslab_cache_size(cache),
			(unsigned int)sizeof(struct kunit_example));
	KUNIT_EXPECT_EQ(test, cache->align, 32U);
	mpslab_cache_destroy(cache);
}

static void cache_size_is_what_was_asked_for(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 7, 63, 4097, 100001 };
	struct mpslab_cache *cache;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = test_cache(test, sizes[i], SLAB_HWCACHE_ALIGN);
		KUNIT_EXPECT_EQ(test, mpslab_cache_size(cache), sizes[i]);
		test_cache_end(test, cache, 0);
	}
}

/*
 * Whichever allocation fails: no cache and nothing left, or a cache that works
 * (without its files in debugfs, for instance).
 */
static void create_failing_anywhere_leaves_nothing(struct kunit *test)
{
	unsigned int nth, refused = 0, listed = caches_listed();
	struct mpslab_cache *cache;
	bool hit = true;
	void *obj;

	need_fail_nth(test);
	mpslab_cache_destroy(create("kunit-first"));
	for (nth = 1; hit && nth < MANY_FAILURES; nth++) {
		fail_nth(nth);
		cache = create("kunit-fail");
		hit = fail_nth_end();
		if (!cache) {
			KUNIT_EXPECT_TRUE(test, hit);
			KUNIT_EXPECT_EQ(test, caches_listed(), listed);
			refused++;
			continue;
		}
		obj = mpslab_cache_alloc(cache, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, obj);
		mpslab_cache_free(cache, obj);
		mpslab_cache_destroy(cache);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	/* how many is up to the kernel, part of whose own failures do no harm */
	KUNIT_EXPECT_GT(test, refused, 0U);
	KUNIT_EXPECT_EQ(test, caches_listed(), listed);
}

/* ------------------------------------------------------------------- names -- */

static bool safe_name(const char *name)
{
	const char *c;

	if (!*name || *name == '.')
		return false;
	for (c = name; *c; c++)
		if (!isascii(*c) || !isgraph(*c) || *c == '/')
			return false;
	return true;
}

static void names_odd_are_made_safe(struct kunit *test)
{
	static const char * const odd[] = {
		".", "..", "a/b", "/", " ", "tab\there", "new\nline", "\xff\xfe",
		"#", "../../evil", "\x1b[31m",
	};
	struct mpslab_cache *cache;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		cache = create(odd[i]);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		KUNIT_EXPECT_STREQ(test, cache->name, odd[i]);
		KUNIT_EXPECT_TRUE_MSG(test, safe_name(cache->dirname),
				      "line %u: \"%s\"", i, cache->dirname);
		mpslab_cache_destroy(cache);
	}
}

static void names_twice_are_told_apart(struct kunit *test)
{
	struct mpslab_cache *caches[12];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		caches[i] = create("kunit-twin");
		KUNIT_ASSERT_NOT_NULL(test, caches[i]);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, caches[i]->dirname,
					    caches[j]->dirname);
	}
	for (i = 0; i < ARRAY_SIZE(caches); i++)
		mpslab_cache_destroy(caches[i]);
}

static void names_long_are_cut_and_told_apart(struct kunit *test)
{
	struct mpslab_cache *caches[3];
	char name[300];
	unsigned int i;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		caches[i] = create(name);
		KUNIT_ASSERT_NOT_NULL(test, caches[i]);
		KUNIT_EXPECT_TRUE(test, safe_name(caches[i]->dirname));
		KUNIT_EXPECT_LT(test, strlen(caches[i]->dirname), (size_t)64);
		if (i)
			KUNIT_EXPECT_STRNEQ(test, caches[i]->dirname,
					    caches[i - 1]->dirname);
	}
	for (i = 0; i < ARRAY_SIZE(caches); i++)
		mpslab_cache_destroy(caches[i]);
}

static void names_are_copied(struct kunit *test)
{
	char name[] = "kunit-before";
	struct mpslab_cache *cache = create(name);

	KUNIT_ASSERT_NOT_NULL(test, cache);
	memset(name, '!', sizeof(name) - 1);
	KUNIT_EXPECT_STREQ(test, cache->name, "kunit-before");
	KUNIT_EXPECT_STREQ(test, cache->dirname, "kunit-before");
	mpslab_cache_destroy(cache);
}

/* ------------------------------------------------------------------ tuning -- */

static void tune_bad_values_change_nothing(struct kunit *test)
{
	static const unsigned int bad[][3] = {
		{ 0, 1, 1 }, { CPU_LIMIT_MAX + 1, 1, 1 }, { 8, 0, 1 },
		{ 8, 9, 1 }, { 8, 4, SHARED_FACTOR_MAX + 1 },
		{ UINT_MAX, UINT_MAX, UINT_MAX },
	};
	struct mpslab_cache *cache = test_cache_small(test, 2);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, cache_tune(cache, bad[i][0], bad[i][1],
						 bad[i][2]), -ERANGE);
	KUNIT_EXPECT_EQ(test, cache->limit, (unsigned int)SMALL_LIMIT);
	KUNIT_EXPECT_EQ(test, cache->batchcount, (unsigned int)SMALL_BATCH);
	KUNIT_EXPECT_EQ(test, cache->shared_factor, 2U);
	test_cache_end(test, cache, 0);
}

static void expect_tuned(struct kunit *test, struct mpslab_cache *cache,
			 unsigned int limit, unsigned int batchcount,
			 unsigned int factor)
{
	struct array_cache *shared = home(cache)->shared;
	int cpu;

	KUNIT_EXPECT_EQ(test, cache->limit, limit);
	KUNIT_EXPECT_EQ(test, cache->batchcount, batchcount);
	KUNIT_EXPECT_EQ(test, cache->shared_factor, factor);
	for_each_possible_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(cache->cpu, cpu)->ac.limit,
				limit);
		KUNIT_EXPECT_EQ(test,
				per_cpu_ptr(cache->cpu, cpu)->ac.batchcount,
				batchcount);
	}
	KUNIT_EXPECT_EQ(test, !!shared, !!factor);
	if (shared)
		KUNIT_EXPECT_EQ(test, shared->limit, factor * batchcount);
}

/* Through all sizes, while arrays, shared array and clients hold objects. */
static void tune_loses_no_object_and_no_count(struct kunit *test)
{
	static const unsigned int sizes[][3] = {
		{ 1, 1, 0 }, { CPU_LIMIT_MAX, CPU_LIMIT_MAX, SHARED_FACTOR_MAX },
		{ 8, 4, 1 }, { 120, 1, 0 }, { 2, 2, 64 }, { 8, 4, 0 },
	};
	struct mpslab_cache *cache = test_cache_small(test, 1);
	unsigned int i, nr = 3 * SMALL_LIMIT;
	void **objs = test_pointers(test, nr);
	struct cpu_stat before, after;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		take_objects(test, cache, objs, nr);
		give_objects(cache, objs, nr - 1);
		cache_cpu_stat(cache, raw_smp_processor_id(), &before);
		KUNIT_EXPECT_EQ(test, 0, cache_tune(cache, sizes[i][0],
						    sizes[i][1], sizes[i][2]));
		cache_cpu_stat(cache, raw_smp_processor_id(), &after);
		KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(after)), 0);
		KUNIT_EXPECT_EQ(test, after.allocs, (unsigned long)nr * (i + 1));
		expect_tuned(test, cache, sizes[i][0], sizes[i][1], sizes[i][2]);
		expect_balanced(test, cache, 1);
		expect_lists(test, cache);
		give_objects(cache, objs + nr - 1, 1);
	}
	test_cache_end(test, cache, 0);
}

static void tune_failing_anywhere_changes_nothing(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	unsigned int nth, failures = 0;
	void *objs[SMALL_LIMIT];
	bool hit = true;
	int err;

	need_fail_nth(test);
	take_objects(test, cache, objs, SMALL_LIMIT);
	give_objects(cache, objs, SMALL_LIMIT - 1);
	for (nth = 1; hit && nth < MANY_FAILURES; nth++) {
		fail_nth(nth);
		err = cache_tune(cache, 100, 50, 2);
		hit = fail_nth_end();
		expect_balanced(test, cache, 1);
		if (!err) {
			expect_tuned(test, cache, 100, 50, 2);
			err = cache_tune(cache, SMALL_LIMIT, SMALL_BATCH, 1);
			KUNIT_EXPECT_EQ(test, err, 0);
			continue;
		}
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_TRUE(test, hit);
		expect_tuned(test, cache, SMALL_LIMIT, SMALL_BATCH, 1);
		failures++;
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GT(test, failures, 0U);
	give_objects(cache, objs + SMALL_LIMIT - 1, 1);
	test_cache_end(test, cache, 0);
}

/* ------------------------------------------------------------------ ageing -- */

static void reap_touched_array_is_spared_once(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	unsigned int fifth = (SMALL_LIMIT + 4) / 5, left = SMALL_LIMIT;
	struct cpu_cache *cc = here(cache);
	struct array_cache *ac = &cc->ac;
	void *objs[SMALL_LIMIT];

	take_objects(test, cache, objs, SMALL_LIMIT);
	cpu_cache_drain_local(cache);
	give_objects(cache, objs, SMALL_LIMIT);
	KUNIT_ASSERT_NE(test, cc->stat.allocs, cc->aged_allocs);
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, ac->avail, left);
	KUNIT_EXPECT_EQ(test, cc->stat.allocs, cc->aged_allocs);
	while (left) {
		cache_reap(cache);
		left -= min(left, fifth);
		KUNIT_EXPECT_EQ(test, ac->avail, left);
		/* the oldest went first */
		if (left)
			KUNIT_EXPECT_PTR_EQ(test, ac->entry[0],
					    objs[SMALL_LIMIT - left]);
	}
	cache_reap(cache);
	expect_balanced(test, cache, 0);
	test_cache_end(test, cache, 0);
}

static void reap_touched_shared_is_spared_once(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 5);
	unsigned int nr = SMALL_LIMIT + 5 * SMALL_BATCH;
	struct cache_node *n = home(cache);
	void *objs[SMALL_LIMIT + 5 * SMALL_BATCH];

	take_objects(test, cache, objs, nr);
	give_objects(cache, objs, nr);
	KUNIT_ASSERT_GE(test, n->shared->avail, 4U * SMALL_BATCH);
	n->shared_touched = true;
	nr = n->shared->avail;
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->shared->avail, nr);
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->shared->avail, nr - SMALL_BATCH);
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->shared->avail, nr - 2 * SMALL_BATCH);
	test_cache_end(test, cache, 0);
}

static void reap_free_slabs_go_unless_touched(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	unsigned int per_slab = cache->best.objects, nr = 10 * per_slab;
	void **objs = test_pointers(test, nr);
	struct cache_node *n = home(cache);

	take_objects(test, cache, objs, nr);
	give_objects(cache, objs, nr);
	cpu_cache_drain_local(cache);
	KUNIT_ASSERT_EQ(test, n->nr_free, 10UL);
	n->free_limit = 10 * per_slab;	/* so a fifth is two slabs */
	n->touched = true;
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->nr_free, 10UL);
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->nr_free, 8UL);
	cache_reap(cache);
	KUNIT_EXPECT_EQ(test, n->nr_free, 6UL);
	expect_lists(test, cache);
	test_cache_end(test, cache, 0);
}

/* The timer is alive: what nobody uses goes without being asked for. */
static void reap_happens_by_itself(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	unsigned int i, had, nr = 60;
	void *objs[60];

	pin_to_this_cpu(test);
	take_objects(test, cache, objs, nr);
	give_objects(cache, objs, nr);
	had = here(cache)->ac.avail;
	KUNIT_ASSERT_GT(test, had, 0U);
	for (i = 0; i < 150 && here(cache)->ac.avail == had; i++)
		msleep(100);
	KUNIT_EXPECT_LT(test, here(cache)->ac.avail, had);
	test_cache_end(test, cache, 0);
}

/* ----------------------------------------------------- shrink and destroy -- */

static void shrink_with_objects_in_use_keeps_their_slabs(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 2);
	void *held = test_cache_hold_one(test, cache);
	struct cache_balance b;

	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(cache), 1);
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, b.slabs, 1UL);
	KUNIT_EXPECT_EQ(test, b.cpu + b.shared, 0UL);
	give_objects(cache, &held, 1);
	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(cache), 0);
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, b.slabs, 0UL);
	KUNIT_EXPECT_EQ(test, b.objects, 0UL);
	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(cache), 0);
	test_cache_end(test, cache, 0);
}

static void fill_this_cpu(struct crew_member *me)
{
	struct mpslab_cache *cache = me->data;
	void *objs[SMALL_LIMIT];
	unsigned int i;

	for (i = 0; i < SMALL_LIMIT; i++)
		objs[i] = mpslab_cache_alloc(cache, GFP_KERNEL);
	for (i = 0; i < SMALL_LIMIT; i++)
		mpslab_cache_free(cache, objs[i]);
	crew_expect(me, here(cache)->ac.avail);
}

static void shrink_empties_every_cpu(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct cache_balance b;

	need_cpus(test, 2);
	crew_run_all(test, fill_this_cpu, cache, 0);
	cache_balance(cache, &b);
	KUNIT_EXPECT_GT(test, b.cpu, (unsigned long)SMALL_LIMIT);
	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(cache), 0);
	test_cache_end(test, cache, 0);
}

static void destroy_null_is_nothing(struct kunit *test)
{
	unsigned long reports = usage_bugs();

	mpslab_cache_destroy(NULL);
	KUNIT_EXPECT_EQ(test, usage_bugs(), reports);
}

static void destroy_with_objects_in_use_refused(struct kunit *test)
{
	struct mpslab_cache *cache = create("kunit-live");
	void *held, *more;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	held = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, held);
	mpslab_cache_destroy(cache);
	KUNIT_ASSERT_TRUE(test, cache_is_listed(cache));
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 1L);

	/* It still works, and goes when it can. */
	more = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, more);
	mpslab_cache_free(cache, more);
	expect_balanced(test, cache, 1);
	mpslab_cache_free(cache, held);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_FALSE(test, cache_is_listed(cache));
}

/* So much memory that it shows if a part of it stays away. */
static void destroy_returns_all_memory(struct kunit *test)
{
	static const unsigned int sizes[] = { 100, 3000, 40000 };
	/* KMSAN takes minutes for as many objects as the first are. */
	unsigned int i = IS_ENABLED(CONFIG_KMSAN), nr;
	long before = free_pages_now(), used, lost;
	struct mpslab_cache *cache;
	void **objs;

	for (; i < ARRAY_SIZE(sizes); i++) {
		/* What kmemleak keeps of each object is not the cache's. */
		cache = test_cache(test, sizes[i], SLAB_NOLEAKTRACE);
		nr = SZ_16M / sizes[i];
		objs = kvcalloc(nr, sizeof(*objs), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs);
		take_objects(test, cache, objs, nr);
		used = before - free_pages_now();
		KUNIT_EXPECT_GT(test, used, (long)(SZ_8M / PAGE_SIZE));
		give_objects(cache, objs, nr);
		kvfree(objs);
		test_cache_end(test, cache, 0);
		lost = before - free_pages_now();
		KUNIT_EXPECT_LT(test, lost, (long)(SZ_4M / PAGE_SIZE));
	}
}

/* Slabs that wait for a grace period still need the cache. */
static void destroy_rcu_cache_waits_for_its_slabs(struct kunit *test)
{
	struct mpslab_cache *cache;
	void **objs = test_pointers(test, 500);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		cache = test_cache(test, 200, SLAB_TYPESAFE_BY_RCU);
		take_objects(test, cache, objs, 500);
		give_objects(cache, objs, 500);
		test_cache_end(test, cache, 0);
	}
}

static struct kunit_case slab_setup_cases[] = {
	KUNIT_CASE(create_bad_arguments_refused),
	KUNIT_CASE(create_bad_usercopy_refused),
	KUNIT_CASE(create_args_are_taken),
	KUNIT_CASE(create_huge_capacity_is_bounded),
	KUNIT_CASE(cache_macro_names_sizes_and_aligns),
	KUNIT_CASE(cache_size_is_what_was_asked_for),
	KUNIT_CASE(create_failing_anywhere_leaves_nothing),
	KUNIT_CASE(names_odd_are_made_safe),
	KUNIT_CASE(names_twice_are_told_apart),
	KUNIT_CASE(names_long_are_cut_and_told_apart),
	KUNIT_CASE(names_are_copied),
	KUNIT_CASE(tune_bad_values_change_nothing),
	KUNIT_CASE(tune_loses_no_object_and_no_count),
	KUNIT_CASE(tune_failing_anywhere_changes_nothing),
	KUNIT_CASE(reap_touched_array_is_spared_once),
	KUNIT_CASE(reap_touched_shared_is_spared_once),
	KUNIT_CASE(reap_free_slabs_go_unless_touched),
	KUNIT_CASE_SLOW(reap_happens_by_itself),
	KUNIT_CASE(shrink_with_objects_in_use_keeps_their_slabs),
	KUNIT_CASE(shrink_empties_every_cpu),
	KUNIT_CASE(destroy_null_is_nothing),
	KUNIT_CASE(destroy_with_objects_in_use_refused),
	KUNIT_CASE(destroy_returns_all_memory),
	KUNIT_CASE(destroy_rcu_cache_waits_for_its_slabs),
	{}
};

static struct kunit_suite slab_setup_suite = {
	.name = "mpslab_slab_setup",
	.test_cases = slab_setup_cases,
};

kunit_test_suite(slab_setup_suite);
