/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions: each difference between 6.1 and
 * 7.x that the module meets gets the name of the feature, in its newest form.
 */
#ifndef MPSLAB_COMPAT_H
#define MPSLAB_COMPAT_H

#include <linux/dcache.h>
#include <linux/fault-inject.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kconfig.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/preempt.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/swap.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* 6.17: workqueues say whether they are per CPU (before, that was the default) */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU	0
#endif

/* 6.13: a namespace is a string */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define MPSLAB_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define MPSLAB_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

/* 6.5, and late in 6.1: the size of a struct that nobody has a pointer to */
#ifndef struct_size_t
#define struct_size_t(type, member, count) \
	struct_size((type *)NULL, member, count)
#endif

/*
 * 6.2: symbols that only the KUnit suites may use.  Where KUnit is off, as on
 * the distributions' kernels, nothing of it remains.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <kunit/visibility.h>
#elif IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_IF_KUNIT(symbol) \
	EXPORT_SYMBOL_NS(symbol, EXPORTED_FOR_KUNIT_TESTING)
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif
/* Under a name that checkpatch knows to be that of a per-CPU variable's export. */
#define EXPORT_PER_CPU_SYMBOL_IF_KUNIT(var)	EXPORT_SYMBOL_IF_KUNIT(var)

/*
 * Flags of the kernel's own allocators that say nothing to this one; each kernel
 * has some of them.
 */
#ifdef SLAB_MEM_SPREAD
#define COMPAT_SLAB_MEM_SPREAD		SLAB_MEM_SPREAD
#else
#define COMPAT_SLAB_MEM_SPREAD		0
#endif
#ifdef SLAB_NO_MERGE
#define COMPAT_SLAB_NO_MERGE		SLAB_NO_MERGE
#else
#define COMPAT_SLAB_NO_MERGE		0
#endif
#ifdef SLAB_NO_USER_FLAGS
#define COMPAT_SLAB_NO_USER_FLAGS	SLAB_NO_USER_FLAGS
#else
#define COMPAT_SLAB_NO_USER_FLAGS	0
#endif
#define COMPAT_SLAB_FLAGS_IGNORED \
	(COMPAT_SLAB_MEM_SPREAD | COMPAT_SLAB_NO_MERGE | COMPAT_SLAB_NO_USER_FLAGS)

/* 6.4: reclaim is told of slab pages through a function */
static inline void compat_account_reclaimed_pages(unsigned long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	mm_account_reclaimed_pages(pages);
#else
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#endif
}

/*
 * 6.3, 6.8: how a stack is kept in the stack depot; 0 if it can't be.  Without its
 * allocating memory where that is forbidden, under a raw lock of PREEMPT_RT for
 * instance, as it then only takes a raw lock of its own.  Never from NMI, where
 * somebody may hold that lock.
 *
 * traces_init() comes first.  Not every kernel has the depot: this one then keeps
 * nothing, and there is nothing to fetch.
 */
static inline depot_stack_handle_t
compat_stack_save(unsigned long *entries, unsigned int nr, gfp_t gfp)
{
	bool can_alloc = !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();

	if (!IS_ENABLED(CONFIG_STACKDEPOT) || in_nmi())
		return 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return stack_depot_save_flags(entries, nr, gfp,
				      can_alloc ? STACK_DEPOT_FLAG_CAN_ALLOC : 0);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return __stack_depot_save(entries, nr, gfp, can_alloc);
#else
	return __stack_depot_save(entries, nr, 0, gfp, can_alloc);
#endif
}

static inline unsigned int compat_stack_fetch(depot_stack_handle_t handle,
					      unsigned long **entries)
{
	if (!IS_ENABLED(CONFIG_STACKDEPOT) || !handle)
		return 0;
	return stack_depot_fetch(handle, entries);
}

/* Nor does every kernel walk stacks; @skip counts from the caller's frame. */
static __always_inline unsigned int
compat_stack_trace(unsigned long *entries, unsigned int max, unsigned int skip)
{
#ifdef CONFIG_STACKTRACE
	return stack_trace_save(entries, max, skip);
#else
	return 0;
#endif
}

/*
 * What KASAN takes for memory that nobody may use, for its tests exported to modules,
 * but declared in a header that is mm's own.
 */
void kasan_poison(const void *addr, size_t size, u8 value, bool init);

static inline void compat_kasan_poison(const void *addr, size_t bytes, u8 shadow)
{
#ifdef CONFIG_KASAN_GENERIC
	kasan_poison(addr, bytes, shadow, false);
#endif
}

/* 6.3: what the macros of kvfree_rcu() call is told the object, not an offset */
static inline void compat_kvfree_call_rcu(void *head, const void *p)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	kvfree_call_rcu(head, (void *)p);
#else
	unsigned long what = head ? head - p : (unsigned long)p;

	kvfree_call_rcu(head, (rcu_callback_t)what);
#endif
}

/*
 * 7.x, and late in 6.12: the kernel's fault injection keeps the name of a directory by
 * itself; before, it held on to the directory, and never let go of it.
 */
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
static inline void compat_fault_attr_put(struct fault_attr *attr)
{
#ifndef FAULT_ATTR_DNAME_LEN
	dput(attr->dname);
	attr->dname = NULL;
#endif
}
#endif

/* 6.13: who walks a list_lru is not told its lock; for the tests */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define DEFINE_COMPAT_LRU_WALK(name)					\
enum lru_status name(struct list_head *item, struct list_lru_one *list, void *arg)
#else
#define DEFINE_COMPAT_LRU_WALK(name)					\
enum lru_status name(struct list_head *item, struct list_lru_one *list,	\
		     spinlock_t *lock, void *arg)
#endif

/* 6.8: the list of an object's node and cgroup is found by a function of its own */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define list_lru_add_obj	list_lru_add
#define list_lru_del_obj	list_lru_del
#endif

/* 6.13: a timer gets its function when it is set up; for the tests */
static inline void
compat_hrtimer_setup(struct hrtimer *timer,
		     enum hrtimer_restart (*fn)(struct hrtimer *),
		     clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

#endif /* MPSLAB_COMPAT_H */
