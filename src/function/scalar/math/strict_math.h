#pragma once

/// Functions with the digits of Java's StrictMath, which are those of fdlibm's approximations: now and then one unit in
/// the last place away from the correctly rounded value. Pure, thread-safe.
/// Source: the algorithms of fdlibm (e_exp, s_expm1, e_log, s_log1p, e_log10, e_pow, s_cbrt, e_hypot, e_asin, e_acos,
/// s_atan, e_atan2, e_sinh, e_cosh, s_tanh), which java.lang.StrictMath prescribes. Java's Math has the same digits for
/// all but exp, log, log10, pow and the sine's family.

namespace millrace::function {

double StrictExp(double x);
double StrictExpm1(double x);
double StrictLog(double x);
double StrictLog1p(double x);
double StrictLog10(double x);

double StrictPow(double x, double y);
double StrictCbrt(double x);
double StrictHypot(double x, double y);

double StrictAsin(double x);
double StrictAcos(double x);
double StrictAtan(double x);
double StrictAtan2(double y, double x);

double StrictSinh(double x);
double StrictCosh(double x);
double StrictTanh(double x);

/// Spark's own, from StrictMath's logarithms.
double StrictAsinh(double x);
double StrictAcosh(double x);
double StrictAtanh(double x);

}  // namespace millrace::function
