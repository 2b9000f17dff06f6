// SPDX-License-Identifier: GPL-2.0
/*
 * The one place that reports what a caller did wrong.
 *
 * The grammar is an interface, which tests and log watchers match:
 *
 *	mpslab: BUG <who>: <what>
 *	mpslab: FIX <who>: <what was done about it>
 *
 * Who waits for a pool for so long that somebody should know is no mistake:
 *
 *	mpslab: WAIT <pool>: <who waits, for how long, and where>
 *
 * Nor is it to ask for what can't be had (slab_watch.c):
 *
 *	mpslab: NOTE <cache>: <why>
 *
 * A mistake is seldom made once: a bad argument that is no cache's is said once for
 * each place that finds it, the rest is rate-limited.  The counts, which debugfs shows,
 * are exact.
 */
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched/clock.h>
#include <linux/sched/task_stack.h>
#include <linux/time64.h>

#include "mempool_internal.h"

/* Frames of who makes a mistake. */
#define CALLER_DEPTH	12

static atomic_long_t usage_bug_count;

static DEFINE_RATELIMIT_STATE(report_limit, 5 * HZ, 10);

static const char *const error_names[NR_CACHE_ERRORS] = {
	[ERROR_DOUBLE_FREE]	= "freed twice",
	[ERROR_INSIDE]		= "freed inside an object",
	[ERROR_OTHER_CACHE]	= "freed to the wrong cache",
	[ERROR_NO_OBJECT]	= "freed but no object",
	[ERROR_RED_ZONE]	= "written beside an object",
	[ERROR_POISON]		= "written after free",
	[ERROR_DESCRIPTOR]	= "descriptor overwritten",
	[ERROR_CONTEXT]		= "freed in NMI in vain",
	[ERROR_IN_USE]		= "destroyed in use",
	[ERROR_ARGUMENT]	= "bad argument",
};

/**
 * cache_error_name() - what a count of mistakes is of
 * @error: the kind
 *
 * Return: some words.
 */
const char *cache_error_name(enum cache_error error)
{
	return error_names[error];
}

/**
 * cache_errors() - all mistakes that clients made with a cache
 * @cache: the cache
 *
 * Return: their number.
 */
unsigned long cache_errors(struct mpslab_cache *cache)
{
	enum cache_error error;
	unsigned long sum = 0;

	for (error = 0; error < NR_CACHE_ERRORS; error++)
		sum += atomic_long_read(&cache->errors[error]);
	return sum;
}
EXPORT_SYMBOL_IF_KUNIT(cache_errors);

/* Count a mistake; false if enough was said of late. */
static bool bug_counted(struct mpslab_cache *cache, enum cache_error error,
			struct va_format *vaf)
{
	atomic_long_inc(&cache->errors[error]);
	/* Of a cache that is destroyed in use more is said than this. */
	if (error != ERROR_IN_USE && !__ratelimit(&report_limit))
		return false;
	pr_err("BUG %s: %pV\n", cache->dirname, vaf);
	return true;
}

/**
 * cache_bug() - report a client's mistake with a cache
 * @cache: the cache
 * @error: its kind
 * @fix: what was done about it
 * @fmt: what the client did, for printf()
 *
 * Context: any.
 */
void cache_bug(struct mpslab_cache *cache, enum cache_error error,
	       const char *fix, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	if (bug_counted(cache, error, &vaf))
		pr_err("FIX %s: %s\n", cache->dirname, fix);
	va_end(args);
}

static void print_track(const struct obj_track *t, const char *what)
{
	unsigned long *entries;
	unsigned int nr;

	if (!t->when)
		return;
	pr_err("    %s by pid %d on CPU %d, %llu us ago:\n", what, t->pid, t->cpu,
	       div_u64(age_ns(local_clock(), t->when), NSEC_PER_USEC));
	nr = compat_stack_fetch(t->stack, &entries);
	while (nr--)
		pr_err("      %pS\n", (void *)*entries++);
}

static void print_object(const struct object_view *view)
{
	if (view->inside)
		pr_err("    %u byte(s) into object %u of %u in its slab\n",
		       view->inside, view->index, view->objects);
	else
		pr_err("    object %u of %u in its slab\n", view->index,
		       view->objects);
	print_track(&view->allocated, "allocated");
	print_track(&view->freed, "freed");
}

/**
 * cache_bug_object() - report what was done to an object of a debugged slab
 * @cache: the cache
 * @view: the object
 * @error: what it was
 * @fix: what was done about it
 * @fmt: the same in words, for printf()
 *
 * Context: any.
 */
void cache_bug_object(struct mpslab_cache *cache,
		      const struct object_view *view, enum cache_error error,
		      const char *fix, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	if (bug_counted(cache, error, &vaf)) {
		print_object(view);
		pr_err("FIX %s: %s\n", cache->dirname, fix);
	}
	va_end(args);
}

/* Whose memory it is that somebody took for an object. */
static const char *address_kind(const void *addr)
{
	if (object_is_on_stack(addr))
		return "the stack";
	if (is_vmalloc_addr(addr))
		return "vmalloc";
	if (!virt_addr_valid(addr))
		return "outside of the direct map";
	return PageSlab(virt_to_head_page(addr)) ? "kmalloc" : "a page";
}

/* Where the mistake is being made. */
static noinline void print_caller(void)
{
	unsigned long entries[CALLER_DEPTH];
	unsigned int nr = compat_stack_trace(entries, CALLER_DEPTH, 1), i;

	pr_err("    freed now by pid %d on CPU %d:\n", current->pid,
	       raw_smp_processor_id());
	for (i = 0; i < nr; i++)
		pr_err("      %pS\n", (void *)entries[i]);
}

static const char *free_error_text(enum cache_error error)
{
	switch (error) {
	case ERROR_DOUBLE_FREE:
		return "object(s) freed twice";
	case ERROR_INSIDE:
		return "free(s) of an address inside a slab where no object starts";
	case ERROR_OTHER_CACHE:
		return "free(s) of what is an object of ";
	case ERROR_CONTEXT:
		return "free(s) in NMI that need a node";
	case ERROR_ARGUMENT:
		return "free(s) of NULL";
	default:
		return "free(s) of what is no object but ";
	}
}

static const char *free_error_of(enum cache_error error, const void *obj)
{
	struct mpslab_slab *slab;

	switch (error) {
	case ERROR_OTHER_CACHE:
		slab = any_slab(obj);
		return slab ? slab->cache->dirname : "another cache";
	case ERROR_NO_OBJECT:
		return address_kind(obj);
	default:
		return "";
	}
}

static void report_free(struct mpslab_cache *cache, enum cache_error error,
			const void *obj, unsigned int nr, bool now)
{
	struct object_view view;

	atomic_long_add(nr, &cache->errors[error]);
	if (!__ratelimit(&report_limit))
		return;
	pr_err("BUG %s: %u %s%s\n", cache->dirname, nr, free_error_text(error),
	       free_error_of(error, obj));
	if (view_address(&view, cache, obj))
		print_object(&view);
	if (now)
		print_caller();
	pr_err("FIX %s: not freed\n", cache->dirname);
}

/**
 * report_bad_free() - report addresses that turn out not to be objects
 * @cache: the cache that they were freed to
 * @error: what is wrong, one of NR_FREE_ERRORS
 * @obj: the address, or the last of them
 * @nr: how many
 *
 * Found too late to say who freed them.
 *
 * Context: any, without a node's list_lock.
 */
void report_bad_free(struct mpslab_cache *cache, enum cache_error error,
		     const void *obj, unsigned int nr)
{
	report_free(cache, error, obj, nr, false);
}

/**
 * refuse_free() - report a free that can't be done, while it is tried
 * @cache: the cache
 * @error: what is wrong, one of NR_FREE_ERRORS, ERROR_CONTEXT or ERROR_ARGUMENT
 * @obj: the address
 *
 * Context: as report_bad_free().
 */
void refuse_free(struct mpslab_cache *cache, enum cache_error error,
		 const void *obj)
{
	report_free(cache, error, obj, 1, true);
}

/**
 * __usage_bug() - count a bad argument, and say so once; see usage_bug()
 * @said: has it been said?
 * @who: name of what was to be used
 * @fmt: what the client did, for printf()
 *
 * Context: any.
 */
void __usage_bug(bool *said, const char *who, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	atomic_long_inc(&usage_bug_count);
	if (xchg(said, true))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("BUG %s: %pV\n", who, &vaf);
	va_end(args);
}

/**
 * pool_bug() - report a client's mistake with a pool
 * @pool: the pool
 * @fmt: what the client did, for printf()
 *
 * Context: any.
 * Return: false if it was only counted, as enough was said of late.
 */
bool pool_bug(struct mpslab_pool *pool, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	atomic_long_inc(&usage_bug_count);
	if (!__ratelimit(&report_limit))
		return false;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("BUG %s: %pV\n", debugfs_pool_name(pool), &vaf);
	va_end(args);
	return true;
}

/**
 * pool_bad_free() - report, and count, a free that is refused
 * @pool: the pool
 * @what: what is wrong with it
 *
 * Context: any but NMI.
 */
void pool_bad_free(struct mpslab_pool *pool, const char *what)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->bad_frees++;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (pool_bug(pool, "%s", what)) {
		print_caller();
		pr_err("FIX %s: not freed\n", debugfs_pool_name(pool));
	}
}

static DEFINE_RATELIMIT_STATE(wait_limit, 5 * HZ, 10);

static void print_stack(const unsigned long *entries, unsigned int nr)
{
	while (nr--)
		pr_warn("      %pS\n", (void *)*entries++);
}

/**
 * pool_report_holder() - say who has had an element of a pool for longest
 * @pool: the pool
 *
 * As far as is known: of who is not tracked, nothing is said.
 *
 * Context: any but NMI.
 */
void pool_report_holder(struct mpslab_pool *pool)
{
	struct pool_holder_info h;
	u64 missed;

	if (!pool_holders(pool, &h, 1, &missed))
		return;
	pr_warn("    %*pE, pid %d, has had an element for %llu ms, taken in\n",
		(int)strlen(h.comm), h.comm, h.pid,
		div_u64(h.held_ns, NSEC_PER_MSEC));
	print_stack(h.stack, h.stack_nr);
}

/**
 * pool_wait_report() - say that somebody has waited for long
 * @pool: the pool
 * @info: who, and where
 *
 * Nobody's mistake for sure, so it is not counted as one.
 *
 * Context: task.
 */
void pool_wait_report(struct mpslab_pool *pool,
		      const struct pool_waiter_info *info)
{
	struct pool_counts counts;

	if (!__ratelimit(&wait_limit))
		return;
	pool_counts(pool, &counts);
	pr_warn("WAIT %s: %*pE, pid %d, has waited %llu ms for %u element(s), of which it has %u; %lld in use, %u waiting\n",
		debugfs_pool_name(pool), (int)strlen(info->comm), info->comm,
		info->pid, div_u64(info->waited_ns, NSEC_PER_MSEC),
		info->wanted, info->got, counts.outstanding,
		READ_ONCE(pool->nr_waiters));
	print_stack(info->stack, info->stack_nr);
	pool_report_holder(pool);
}

/**
 * usage_bugs() - mistakes that usage_bug() was told of since the module came
 *
 * Return: their number.
 */
unsigned long usage_bugs(void)
{
	return atomic_long_read(&usage_bug_count);
}
EXPORT_SYMBOL_IF_KUNIT(usage_bugs);
