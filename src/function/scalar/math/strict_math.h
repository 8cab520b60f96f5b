#pragma once

/// Exponential and logarithms with the digits of Java's StrictMath, which are those of fdlibm's approximations: now and
/// then one unit in the last place away from the correctly rounded value. Pure, thread-safe.
/// Source: the algorithms of fdlibm (e_exp, e_log, e_log10), which java.lang.StrictMath prescribes.

namespace millrace::function {

double StrictExp(double x);
double StrictLog(double x);
double StrictLog10(double x);

}  // namespace millrace::function
