# Compiler launcher, linker, and the flags of our own code (millrace_flags).

# ccache is told to see paths relative to this checkout, so that several checkouts share one cache, and to accept the
# precompiled header (pch_defines, time_macros; file times say nothing about a header that ccache itself restored).
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      /usr/bin/env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_INODECACHE=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_COMPILERCHECK=content ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# Every object of the program, generated ones too.
add_compile_options(-pthread)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What a precompiled header brings already is more than GCC lets its heap grow to without collecting garbage: a sixth of
  # the time of every file.
  add_compile_options(--param=ggc-min-heapsize=786432)
endif()
set(MILLRACE_SANITIZE "" CACHE STRING "value for -fsanitize=, empty for none")
if(MILLRACE_SANITIZE)
  add_compile_options(-fsanitize=${MILLRACE_SANITIZE} -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${MILLRACE_SANITIZE})
endif()

add_library(millrace_flags INTERFACE)
target_compile_options(millrace_flags INTERFACE
  -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers
  # GCC 12 sees overruns and unset values in std::string and std::optional that are not there (its bugs 105329, 105651).
  -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-stringop-overread
  # A class of a .cc file may hold what is private to that file, also where several are compiled together.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>
  -fvisibility-inlines-hidden
  -fpch-preprocess)  # lets ccache see which precompiled header an object used
target_include_directories(millrace_flags INTERFACE
  ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/cmake)
