// SPDX-License-Identifier: GPL-2.0
/*
 * Fault plans: make an allocation fail, or be late, on a kernel that was not built
 * for it.
 *
 * A plan is a line of text that says which allocations it is about, which of those
 * it takes, and what happens to them:
 *
 *	comm=NAME pid=N		those of a task
 *	caller=NAME module=NAME	those with this function, or one of this module,
 *				on the stack; with both, this function of it
 *	nth=N			the Nth of them, once
 *	every=N			each Nth
 *	percent=N seed=N	so many of a hundred, by chance, but the same each time
 *	times=N			no more than so many
 *	delay_us=N		they come late
 *	fail=0|1		they fail; that is so unless they come late
 *
 * It holds for one point (enum fault_point) of one cache or pool, or of all: those
 * in fault_all are for objects that are yet to be made, too, and so for what a
 * driver does while it is being loaded.
 *
 * Nothing is asked on the fast paths.  A pool over an mpslab cache takes from the
 * CPU's array without asking anybody, so while a plan is about it, it goes by the
 * backend (pool_set_slow()).
 *
 * Who may run at the same time: any number of askers, in any context but NMI, and
 * one writer, by fault_mutex.  An asker uses the spec that he finds, under RCU; its
 * counts are atomic, and each asker that a spec is about draws a number of its own,
 * so exactly one of them is the nth.  Chance is a function of seed and number, so
 * the askers whom it meets have the same numbers in each run, whatever the CPUs do.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/jhash.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mempool_internal.h"

#define DELAY_US_MAX	10000000
/* Whoever must not sleep is not held up for longer than this. */
#define SPIN_US_MAX	1000
#define FRAMES_MAX	32
/* A function's name with offset and module; longer ones are cut. */
#define FRAME_LEN	192
#define WORD_LEN	64

enum number_key {
	KEY_NTH,
	KEY_EVERY,
	KEY_PERCENT,
	KEY_SEED,
	KEY_TIMES,
	KEY_PID,
	KEY_DELAY_US,
	KEY_FAIL,
	NR_NUMBERS
};

static const struct {
	const char *name;
	u32 min;
	u32 max;
} number_keys[NR_NUMBERS] = {
	[KEY_NTH]	= { "nth",	1, U32_MAX },
	[KEY_EVERY]	= { "every",	1, U32_MAX },
	[KEY_PERCENT]	= { "percent",	1, 100 },
	[KEY_SEED]	= { "seed",	0, U32_MAX },
	[KEY_TIMES]	= { "times",	1, INT_MAX },
	[KEY_PID]	= { "pid",	1, INT_MAX },
	[KEY_DELAY_US]	= { "delay_us",	1, DELAY_US_MAX },
	[KEY_FAIL]	= { "fail",	0, 1 },
};

enum word_key { KEY_COMM, KEY_CALLER, KEY_MODULE, NR_WORDS };

static const struct {
	const char *name;
	size_t len;
} word_keys[NR_WORDS] = {
	[KEY_COMM]	= { "comm",	TASK_COMM_LEN },
	[KEY_CALLER]	= { "caller",	WORD_LEN },
	[KEY_MODULE]	= { "module",	MODULE_NAME_LEN },
};

/**
 * struct fault_spec - a plan as it was written, and its counts
 * @rcu: for its end
 * @number: the numbers, 0 if not given
 * @word: the words, empty if not given
 * @numbers: which of them were given, a bit for each
 * @seen: allocations that it is about
 * @left: how many it may still take, if it has a bound
 * @failed: those that it failed
 * @delayed: those that it delayed
 *
 * All but the counts is constant once it is in a plan.
 */
struct fault_spec {
	struct rcu_head rcu;
	u32 number[NR_NUMBERS];
	char word[NR_WORDS][WORD_LEN];
	unsigned long numbers;
	atomic_long_t seen;
	atomic_t left;
	atomic_long_t failed;
	atomic_long_t delayed;
};

/* Guards all specs, and who is armed; 3 of internal.h. */
static DEFINE_MUTEX(fault_mutex);
static LIST_HEAD(pool_sets);

struct fault_set fault_all;
EXPORT_SYMBOL_IF_KUNIT(fault_all);

const char * const fault_point_names[NR_FAULT_POINTS] = {
	[FAULT_SETUP]		= "setup",
	[FAULT_PAGES]		= "pages",
	[FAULT_DESCRIPTORS]	= "descriptors",
	[FAULT_BACKEND]		= "backend",
	[FAULT_RESERVE]		= "reserve",
};

static char *fault_setup_param;
module_param_named(fault_setup, fault_setup_param, charp, 0400);
MODULE_PARM_DESC(fault_setup, "plan for the module's own set-up, from loading on");

/* ----------------------------------------------------------------- who it is -- */

static bool word_given(const struct fault_spec *spec, enum word_key key)
{
	return spec->word[key][0];
}

static bool asks_callers(const struct fault_spec *spec)
{
	return word_given(spec, KEY_CALLER) || word_given(spec, KEY_MODULE);
}

/* A star at the end stands for anything. */
static bool word_matches(const char *word, const char *text, size_t len)
{
	size_t word_len = strlen(word);

	if (word[word_len - 1] == '*')
		return len >= word_len - 1 && !strncmp(word, text, word_len - 1);
	return len == word_len && !strncmp(word, text, len);
}

/* An interrupt is not what its task does. */
static bool task_matches(const struct fault_spec *spec)
{
	const char *comm = current->comm;

	if (spec->number[KEY_PID] &&
	    (!in_task() || task_pid_nr(current) != spec->number[KEY_PID]))
		return false;
	if (word_given(spec, KEY_COMM) &&
	    (!in_task() || !word_matches(spec->word[KEY_COMM], comm,
					 strnlen(comm, TASK_COMM_LEN))))
		return false;
	return true;
}

/*
 * Names are compared, as a module may not ask for a symbol's address.  The kernel
 * prints "function.suffix+offset/size [module]"; the suffix is the compiler's.
 */
static bool frame_matches(const struct fault_spec *spec, unsigned long frame)
{
	char text[FRAME_LEN], *module;

	snprintf(text, sizeof(text), "%pB", (void *)frame);
	if (word_given(spec, KEY_CALLER) &&
	    !word_matches(spec->word[KEY_CALLER], text, strcspn(text, ".+ ")))
		return false;
	if (!word_given(spec, KEY_MODULE))
		return true;
	module = strchr(text, '[');
	return module && word_matches(spec->word[KEY_MODULE], module + 1,
				      strcspn(module + 1, " ]"));
}

static noinline bool stack_matches(const struct fault_spec *spec)
{
	unsigned long frames[FRAMES_MAX];
	unsigned int i, nr;

	nr = compat_stack_trace(frames, ARRAY_SIZE(frames), 0);
	for (i = 0; i < nr; i++)
		if (frame_matches(spec, frames[i]))
			return true;
	return false;
}

/* Some can't: UML without frame pointers finds nobody. */
static bool can_walk_stack(void)
{
	unsigned long frame;

	return compat_stack_trace(&frame, 1, 0);
}

static bool is_about(const struct fault_spec *spec)
{
	if (!task_matches(spec))
		return false;
	return !asks_callers(spec) || stack_matches(spec);
}

/* ---------------------------------------------------------------- what comes -- */

static bool takes(struct fault_spec *spec)
{
	unsigned long nr = atomic_long_inc_return(&spec->seen);
	bool take;

	if (spec->number[KEY_NTH])
		take = nr == spec->number[KEY_NTH];
	else if (spec->number[KEY_EVERY])
		take = nr % spec->number[KEY_EVERY] == 0;
	else
		take = reciprocal_scale(jhash_1word(nr, spec->number[KEY_SEED]),
					100) < spec->number[KEY_PERCENT];
	if (take && spec->number[KEY_TIMES])
		take = atomic_dec_if_positive(&spec->left) >= 0;
	return take;
}

static void be_late(u32 usecs, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		fsleep(usecs);
	else
		udelay(min_t(u32, usecs, SPIN_US_MAX));
}

static bool plan_hit(struct fault_plan *plan, gfp_t gfp)
{
	unsigned int point = plan - plan->set->plan;
	struct fault_spec *spec;
	u32 delay_us = 0;
	bool fail = false;

	if (!(READ_ONCE(plan->set->armed) & BIT(point)))
		return false;
	rcu_read_lock();
	spec = rcu_dereference(plan->spec);
	/* NULL if we see that it is armed before we see what it is. */
	if (spec && is_about(spec) && takes(spec)) {
		fail = spec->number[KEY_FAIL];
		delay_us = spec->number[KEY_DELAY_US];
		if (fail)
			atomic_long_inc(&spec->failed);
		if (delay_us)
			atomic_long_inc(&spec->delayed);
	}
	rcu_read_unlock();
	if (delay_us)
		be_late(delay_us, gfp);
	return fail;
}

/**
 * fault_hit() - is an allocation to fail?
 * @set: the plans of the cache or pool, or NULL
 * @point: which kind of allocation
 * @gfp: its flags, which say whether it may sleep
 *
 * Asked by fault(), once for each allocation, while anything is armed.  It may be
 * late, too.
 *
 * Context: any but NMI; sleeps only if @gfp allows it.
 * Return: true if it is to fail.
 */
bool fault_hit(struct fault_set *set, enum fault_point point, gfp_t gfp)
{
	bool fail = plan_hit(&fault_all.plan[point], gfp);

	if (set && plan_hit(&set->plan[point], gfp))
		fail = true;
	return fault_attr_fails(point) || fail;
}
EXPORT_SYMBOL_IF_KUNIT(fault_hit);

/* -------------------------------------------------------------- reading plans -- */

static int find_number_key(const char *name)
{
	int i;

	for (i = 0; i < NR_NUMBERS; i++)
		if (!strcmp(name, number_keys[i].name))
			return i;
	return -EINVAL;
}

static int find_word_key(const char *name)
{
	int i;

	for (i = 0; i < NR_WORDS; i++)
		if (!strcmp(name, word_keys[i].name))
			return i;
	return -EINVAL;
}

static int parse_number(struct fault_spec *spec, enum number_key key,
			const char *value)
{
	u32 val;
	int err;

	/* kstrtou32() would take a sign, and a newline at the end. */
	if (spec->numbers & BIT(key) || !*value ||
	    value[strspn(value, "0123456789")])
		return -EINVAL;
	err = kstrtou32(value, 10, &val);
	if (err)
		return err;
	if (val < number_keys[key].min || val > number_keys[key].max)
		return -ERANGE;
	spec->number[key] = val;
	spec->numbers |= BIT(key);
	return 0;
}

static int parse_word(struct fault_spec *spec, enum word_key key,
		      const char *value)
{
	if (word_given(spec, key) || !*value || strlen(value) >= word_keys[key].len)
		return -EINVAL;
	strscpy(spec->word[key], value, WORD_LEN);
	for (; *value; value++)
		if (!isascii(*value) || !isgraph(*value))
			return -EINVAL;
	return 0;
}

/* "key=value"; writes to @text. */
static int parse_one(struct fault_spec *spec, char *text)
{
	char *value = strchr(text, '=');
	int key;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	key = find_number_key(text);
	if (key >= 0)
		return parse_number(spec, key, value);
	key = find_word_key(text);
	if (key >= 0)
		return parse_word(spec, key, value);
	return -EINVAL;
}

/* Does it make sense as a whole?  What is left open is filled in. */
static int check_spec(struct fault_spec *spec)
{
	unsigned long which = spec->numbers &
			      (BIT(KEY_NTH) | BIT(KEY_EVERY) | BIT(KEY_PERCENT));

	if (hweight_long(which) != 1)
		return -EINVAL;
	if (spec->number[KEY_NTH] && spec->number[KEY_TIMES])
		return -EINVAL;
	if (spec->numbers & BIT(KEY_SEED) && !spec->number[KEY_PERCENT])
		return -EINVAL;
	if (!(spec->numbers & BIT(KEY_FAIL)))
		spec->number[KEY_FAIL] = !spec->number[KEY_DELAY_US];
	if (!spec->number[KEY_FAIL] && !spec->number[KEY_DELAY_US])
		return -EINVAL;
	if (asks_callers(spec) && !can_walk_stack())
		return -EOPNOTSUPP;
	atomic_set(&spec->left, spec->number[KEY_TIMES]);
	return 0;
}

static struct fault_spec *parse(char *text)
{
	struct fault_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	int err = 0;

	if (!spec)
		return ERR_PTR(-ENOMEM);
	while (text && !err)
		err = parse_one(spec, strsep(&text, " "));
	if (!err)
		err = check_spec(spec);
	if (!err)
		return spec;
	kfree(spec);
	return ERR_PTR(err);
}

/* ------------------------------------------------------------- arming, showing -- */

/* A pool that a plan is about leaves its short way through the CPU's array. */
static void tell_pool(struct fault_set *set)
{
	lockdep_assert_held(&fault_mutex);
	pool_set_slow(set->pool, POOL_SLOW_FAULTS,
		      (set->armed | fault_all.armed) & FAULT_POOL_POINTS);
}

static void tell_pools(void)
{
	struct fault_set *set;

	lockdep_assert_held(&fault_mutex);
	list_for_each_entry(set, &pool_sets, list)
		tell_pool(set);
}

static void arm(struct fault_plan *plan, struct fault_spec *spec)
{
	unsigned long bit = BIT(plan - plan->set->plan);
	struct fault_spec *old = NULL;

	mutex_lock(&fault_mutex);
	if (spec)
		old = rcu_replace_pointer(plan->spec, spec,
					  lockdep_is_held(&fault_mutex));
	WRITE_ONCE(plan->set->armed,
		   spec ? plan->set->armed | bit : plan->set->armed & ~bit);
	tell_pools();
	mutex_unlock(&fault_mutex);
	if (old)
		kfree_rcu(old, rcu);
}

/**
 * fault_plan_write() - follow another plan, or none
 * @plan: where
 * @text: the plan, or "off"; is written to
 *
 * A plan starts with counts of 0; those of one that is turned off stay to be seen.
 * Who asks at this moment may still be answered by the plan that there was.
 *
 * Context: task; sleeps.
 * Return: 0; -EINVAL, -ERANGE, -ENOMEM or, on a kernel that cannot walk its stack,
 * -EOPNOTSUPP, and then nothing has changed.
 */
int fault_plan_write(struct fault_plan *plan, char *text)
{
	struct fault_spec *spec = NULL;

	if (strcmp(text, "off")) {
		spec = parse(text);
		if (IS_ERR(spec))
			return PTR_ERR(spec);
	}
	arm(plan, spec);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fault_plan_write);

/**
 * fault_plan_counts() - what a plan has done since it was written
 * @plan: the plan, or one that was turned off
 * @counts: the result; 0 if there never was one
 *
 * Context: any.
 */
void fault_plan_counts(struct fault_plan *plan, struct fault_counts *counts)
{
	struct fault_spec *spec;

	memset(counts, 0, sizeof(*counts));
	rcu_read_lock();
	spec = rcu_dereference(plan->spec);
	if (spec) {
		counts->seen = atomic_long_read(&spec->seen);
		counts->failed = atomic_long_read(&spec->failed);
		counts->delayed = atomic_long_read(&spec->delayed);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(fault_plan_counts);

static void show_spec(struct seq_file *m, const struct fault_spec *spec)
{
	const char *blank = "";
	int i;

	for (i = 0; i < NR_NUMBERS; i++) {
		if (!(spec->numbers & BIT(i)))
			continue;
		seq_printf(m, "%s%s=%u", blank, number_keys[i].name,
			   spec->number[i]);
		blank = " ";
	}
	for (i = 0; i < NR_WORDS; i++)
		if (word_given(spec, i))
			seq_printf(m, " %s=%s", word_keys[i].name, spec->word[i]);
	seq_putc(m, '\n');
}

/**
 * fault_plan_show() - print a plan, as it could be written, and its counts
 * @m: where
 * @plan: the plan
 *
 * Context: task; sleeps.
 */
void fault_plan_show(struct seq_file *m, struct fault_plan *plan)
{
	unsigned long bit = BIT(plan - plan->set->plan);
	struct fault_counts counts;
	struct fault_spec *spec;

	mutex_lock(&fault_mutex);
	spec = rcu_dereference_protected(plan->spec,
					 lockdep_is_held(&fault_mutex));
	if (plan->set->armed & bit)
		show_spec(m, spec);
	else
		seq_puts(m, "off\n");
	fault_plan_counts(plan, &counts);
	mutex_unlock(&fault_mutex);
	seq_printf(m, "seen %lu, failed %lu, delayed %lu\n", counts.seen,
		   counts.failed, counts.delayed);
}

/* ----------------------------------------------------------------- beginnings -- */

/**
 * fault_set_init() - no plans yet
 * @set: the plans of a new cache or pool
 */
void fault_set_init(struct fault_set *set)
{
	int i;

	for (i = 0; i < NR_FAULT_POINTS; i++)
		set->plan[i].set = set;
}
EXPORT_SYMBOL_IF_KUNIT(fault_set_init);

/**
 * fault_set_exit() - no plans any more
 * @set: the plans of a cache or pool that nobody uses or shows
 */
void fault_set_exit(struct fault_set *set)
{
	int i;

	for (i = 0; i < NR_FAULT_POINTS; i++)
		kfree(rcu_dereference_protected(set->plan[i].spec, true));
}
EXPORT_SYMBOL_IF_KUNIT(fault_set_exit);

/**
 * fault_pool_init() - let plans be about a new pool
 * @pool: the pool, its backend and its lock set up
 * @gfp: flags for the memory
 *
 * Context: task; sleeps.
 * Return: its set, or NULL without memory.
 */
struct fault_set *fault_pool_init(struct mpslab_pool *pool, gfp_t gfp)
{
	struct fault_set *set = setup_alloc(kzalloc(sizeof(*set), gfp));

	if (!set)
		return NULL;
	fault_set_init(set);
	set->pool = pool;
	mutex_lock(&fault_mutex);
	list_add(&set->list, &pool_sets);
	tell_pool(set);
	mutex_unlock(&fault_mutex);
	return set;
}

/**
 * fault_pool_moved() - the pool is at another place
 * @set: its set
 * @pool: the pool, its lock set up
 *
 * A plan that was written since the struct was copied went to the one that is left.
 *
 * Context: task; sleeps.
 */
void fault_pool_moved(struct fault_set *set, struct mpslab_pool *pool)
{
	mutex_lock(&fault_mutex);
	set->pool = pool;
	tell_pool(set);
	mutex_unlock(&fault_mutex);
}

/**
 * fault_pool_exit() - the pool goes
 * @set: its set, which nobody shows any more; NULL is fine
 *
 * Context: task; sleeps.
 */
void fault_pool_exit(struct fault_set *set)
{
	if (!set)
		return;
	mutex_lock(&fault_mutex);
	list_del(&set->list);
	mutex_unlock(&fault_mutex);
	fault_set_exit(set);
	kfree(set);
}

/**
 * fault_init() - take the plan that the module was loaded with
 *
 * Return: 0 or an error, for a plan that is none.
 */
int fault_init(void)
{
	char text[FAULT_TEXT_LEN];

	fault_set_init(&fault_all);
	if (!fault_setup_param)
		return 0;
	if (strscpy(text, fault_setup_param, sizeof(text)) < 0)
		return -EINVAL;
	return fault_plan_write(&fault_all.plan[FAULT_SETUP], text);
}

/**
 * fault_exit() - undo fault_init()
 */
void fault_exit(void)
{
	fault_set_exit(&fault_all);
}
