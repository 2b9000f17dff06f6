// SPDX-License-Identifier: GPL-2.0
/*
 * Debugging that is switched on and off under objects in use; the words that ask for
 * it; and walks over all slabs.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "fixtures.h"

/* ------------------------------------------------------------------- switching -- */

static void flags_of_creation_count(struct kunit *test)
{
	struct mpslab_cache *cache;
	void *obj;

	cache = test_cache(test, DEBUGGED_SIZE, SLAB_RED_ZONE | SLAB_POISON |
				       SLAB_STORE_USER | SLAB_CONSISTENCY_CHECKS);
	KUNIT_EXPECT_EQ(test, cache->debug, DEBUG_ALL);
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
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, DEBUG_ALL, 1), 0);
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
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_ALL);
	void *old, *new;

	take_objects(test, cache, &old, 1);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, cache->look);
	take_objects(test, cache, &new, 1);
	KUNIT_EXPECT_FALSE(test, is_debugged(cache, new));
	((u8 *)old)[DEBUGGED_SIZE] ^= 1;
	((u8 *)old)[DEBUGGED_SIZE] ^= 1;
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
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_CHECKS);
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

/* A name may be anything; what is printed of it is one line, and can be printed. */
static void flags_in_vain_are_noted_in_one_line(struct kunit *test)
{
	static const char note[] = "NOTE odd\\nname\\001: objects of";
	struct mpslab_cache *cache;
	unsigned int noted;

	if (!IS_ENABLED(CONFIG_PRINTK))
		kunit_skip(test, "needs a kernel that keeps a log");
	noted = log_lines(note);
	cache = mpslab_cache_create("odd\nname\001", KMALLOC_MAX_SIZE, 0,
				    SLAB_RED_ZONE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, log_lines(note), noted + 1);
	mpslab_cache_destroy(cache);
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
	cache = test_cache(test, DEBUGGED_SIZE, SLAB_RED_ZONE);
	test_cache_end(test, cache, 0);
	KUNIT_EXPECT_EQ(test, log_lines("are too large to be debugged"), noted + 1);
}

/* ----------------------------------------------------------------------- words -- */

static void parsing_takes_letters(struct kunit *test)
{
	char text[DEBUG_TEXT_LEN];
	struct debug_wish wish;

	KUNIT_EXPECT_EQ(test, debug_parse("FZPU", 4, &wish), 0);
	KUNIT_EXPECT_EQ(test, wish.options, DEBUG_ALL);
	KUNIT_EXPECT_EQ(test, wish.sample, 1);
	debug_print(wish.options, text);
	KUNIT_EXPECT_STREQ(test, text, "FZPU");
	KUNIT_EXPECT_EQ(test, debug_parse("u", 1, &wish), 0);
	KUNIT_EXPECT_EQ(test, wish.options, DEBUG_USER);
	KUNIT_EXPECT_EQ(test, debug_parse("-", 1, &wish), 0);
	KUNIT_EXPECT_EQ(test, wish.options, 0);
	debug_print(wish.options, text);
	KUNIT_EXPECT_STREQ(test, text, "-");
	KUNIT_EXPECT_EQ(test, debug_parse("", 0, &wish), -EINVAL);
	KUNIT_EXPECT_EQ(test, debug_parse("FX", 2, &wish), -EINVAL);
	KUNIT_EXPECT_EQ(test, debug_parse("F-", 2, &wish), -EINVAL);
}

static void parsing_takes_a_sample(struct kunit *test)
{
	static const struct {
		const char *text;
		int err;
	} refused[] = {
		{ "U ", -EINVAL },
		{ "U sample", -EINVAL },
		{ "U sample=", -EINVAL },
		{ "U sample=-1", -EINVAL },
		{ "U sample=1 ", -EINVAL },
		{ "U,sample=16,", -EINVAL },
		{ " sample=16", -EINVAL },
		{ "U sample=0", -ERANGE },
		{ "U sample=4294967296", -ERANGE },
		{ "U sample=99999999999", -ERANGE },
	};
	struct debug_wish wish;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, debug_parse("U sample=16", 11, &wish), 0);
	KUNIT_EXPECT_EQ(test, wish.options, DEBUG_USER);
	KUNIT_EXPECT_EQ(test, wish.sample, 16);
	KUNIT_EXPECT_EQ(test, debug_parse("fu,sample=4294967295", 20, &wish), 0);
	KUNIT_EXPECT_EQ(test, wish.options, DEBUG_CHECKS | DEBUG_USER);
	KUNIT_EXPECT_EQ(test, wish.sample, U32_MAX);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		KUNIT_EXPECT_EQ_MSG(test, debug_parse(refused[i].text,
						      strlen(refused[i].text), &wish),
				    refused[i].err, "\"%s\"", refused[i].text);
}

/* What the parameter @text asks for in a cache called @name. */
#define EXPECT_WISH(test, text, name, looked_at, one_in)			\
do {										\
	struct debug_wish wish_ = debug_for_name(text, name);			\
										\
	KUNIT_EXPECT_EQ(test, wish_.options, looked_at);			\
	KUNIT_EXPECT_EQ(test, wish_.sample, one_in);				\
} while (0)

static void parameter_knows_names(struct kunit *test)
{
	static const char text[] = "FZ,nvme*,dm-?;U,foo";

	EXPECT_WISH(test, text, "nvme_rq", DEBUG_CHECKS | DEBUG_RED_ZONE, 1);
	EXPECT_WISH(test, text, "dm-3", DEBUG_CHECKS | DEBUG_RED_ZONE, 1);
	EXPECT_WISH(test, text, "dm-33", 0, 1);
	EXPECT_WISH(test, text, "foo", DEBUG_USER, 1);
	EXPECT_WISH(test, text, "fo", 0, 1);
	EXPECT_WISH(test, "P", "anything", DEBUG_POISON, 1);
	EXPECT_WISH(test, "", "anything", 0, 1);
}

static void parameter_knows_samples(struct kunit *test)
{
	static const char text[] = "F,sample=3,nvme*;U,sample=16;P";

	EXPECT_WISH(test, text, "nvme_rq", DEBUG_CHECKS, 3);
	EXPECT_WISH(test, text, "sample=3", DEBUG_USER, 16);
	EXPECT_WISH(test, "U sample=8,foo", "foo", DEBUG_USER, 8);
	/* What can't be read is as if it were not there. */
	EXPECT_WISH(test, "U,sample=x,foo;F,foo", "foo", DEBUG_CHECKS, 1);
}

/* ---------------------------------------------------------------------- walking -- */

static void validate_finds_what_nobody_came_across(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_debugged(test, DEBUG_ALL);
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

static struct kunit_case slab_watch_cases[] = {
	KUNIT_CASE(flags_of_creation_count),
	KUNIT_CASE(switched_on_old_slabs_age_out),
	KUNIT_CASE(switched_off_looks_until_the_last_slab),
	KUNIT_CASE(switched_often_old_slabs_stay_old),
	KUNIT_CASE(switched_back_stale_slabs_go),
	KUNIT_CASE(flags_in_vain_are_noted),
	KUNIT_CASE(flags_in_vain_are_noted_in_one_line),
	KUNIT_CASE(parsing_takes_letters),
	KUNIT_CASE(parsing_takes_a_sample),
	KUNIT_CASE(parameter_knows_names),
	KUNIT_CASE(parameter_knows_samples),
	KUNIT_CASE(validate_finds_what_nobody_came_across),
	KUNIT_CASE(validate_finds_a_descriptor_written_over),
	{}
};

static struct kunit_suite slab_watch_suite = {
	.name = "mpslab_slab_watch",
	.test_cases = slab_watch_cases,
};

kunit_test_suite(slab_watch_suite);
