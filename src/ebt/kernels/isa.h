// Kernels are compiled once for each instruction set and chosen when the program starts.
//
// Each operation declares a table of function pointers (norm.h: NormKernels<T, S>). Its
// *_kernel.cpp is compiled once per Isa and specialises kernels_for<Table, that Isa>. Everything in
// such a file has internal linkage: an inline function of a shared header, compiled for AVX-512 and
// picked by the linker, would crash an AVX2 machine. Another device joins by providing tables.
#pragma once

#include <string>

namespace ebt::kernels {

// avx512_bf16: AVX-512 and products of bf16 pairs.
enum class Isa { portable, avx2, avx512, avx512_bf16 };

// The widest instruction set that was compiled and that this CPU runs; EBT_MAX_ISA in the
// environment (portable, avx2, avx512, avx512_bf16) lowers it. Throws Error for another value.
Isa active_isa();
std::string isa_name(Isa isa);

// The table of one instruction set, defined by the kernel files.
template <class Table, Isa isa>
const Table& kernels_for();

// The table of active_isa(). Every header of kernels names its own: kernels::softmax<T, S>().
template <class Table>
const Table& table();

}  // namespace ebt::kernels
