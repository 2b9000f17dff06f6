// SPDX-License-Identifier: GPL-2.0
/*
 * The one place that reports what a caller did wrong.
 *
 * The grammar is an interface, which tests and log watchers match:
 *
 *	mpslab: BUG <who>: <what>
 *	mpslab: FIX <who>: <what was done about it>
 *
 * A mistake is seldom made once: a bad argument is said once for each place that
 * finds it, the rest is rate-limited.  The counts, which debugfs shows, are exact.
 */
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "internal.h"

static atomic_long_t usage_bug_count;

static DEFINE_RATELIMIT_STATE(report_limit, 5 * HZ, 10);

/**
 * cache_bug() - report a client's mistake with a cache
 * @cache: the cache
 * @fix: what was done about it
 * @fmt: what the client did, for printf()
 *
 * Context: any.
 */
void cache_bug(struct mpslab_cache *cache, const char *fix, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	atomic_long_inc(&cache->errors);
	if (!__ratelimit(&report_limit))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("BUG %s: %pV\n", cache->dirname, &vaf);
	va_end(args);
	pr_err("FIX %s: %s\n", cache->dirname, fix);
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
 */
void pool_bug(struct mpslab_pool *pool, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	atomic_long_inc(&usage_bug_count);
	if (!__ratelimit(&report_limit))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("BUG %s: %pV\n", debugfs_pool_name(pool), &vaf);
	va_end(args);
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
