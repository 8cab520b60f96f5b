# Modules, and the programs linked from them. No source file is named in CMake: folders are globbed.

# cmake/precompiled/<name>.h, each compiled once with our flags and shared by the modules named here; the rest take core.
set(MILLRACE_PRECOMPILED_columns expression function logical catalog optimizer physical streaming)
set(MILLRACE_PRECOMPILED_messages sql analyzer session api connect)
set(MILLRACE_PRECOMPILED_command_line cli)

# Modules that touch no row. GCC compiles them a fifth faster at -O1, and nobody waits for what they do.
set(MILLRACE_ROWLESS sql logical catalog analyzer optimizer streaming session api connect web cli)

function(millrace_precompile name)
  set(carrier ${CMAKE_BINARY_DIR}/precompiled_${name}.cc)
  file(WRITE ${carrier}.new "// Carries precompiled/${name}.h.\n")
  file(COPY_FILE ${carrier}.new ${carrier} ONLY_IF_DIFFERENT)
  add_library(millrace_precompiled_${name} OBJECT ${carrier})
  target_link_libraries(millrace_precompiled_${name} PRIVATE millrace_flags millrace_headers)
  # Named by brackets, found by -I: an absolute path in it would make every checkout's header, and so its cache, its own.
  target_precompile_headers(millrace_precompiled_${name} PRIVATE <precompiled/${name}.h>)
endfunction()

foreach(name core columns messages command_line tests)
  millrace_precompile(${name})
endforeach()
target_include_directories(millrace_precompiled_messages SYSTEM PRIVATE ${MILLRACE_GENERATED}/proto)
add_dependencies(millrace_precompiled_messages millrace_proto)  # its headers are generated

# Compiles small files of a folder together; OFF: each alone, as an editor that reads compile_commands.json may want it.
option(MILLRACE_GROUP_SOURCES "Compile small sources together (tools/group_sources.py)" ON)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/group_sources.py)
function(millrace_group_sources variable)
  if(MILLRACE_GROUP_SOURCES AND ARGN)
    execute_process(
      COMMAND ${MILLRACE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/group_sources.py ${CMAKE_BINARY_DIR}/grouped
              ${CMAKE_SOURCE_DIR}/src ${ARGN}
      OUTPUT_VARIABLE grouped COMMAND_ERROR_IS_FATAL ANY)
    set(${variable} ${grouped} PARENT_SCOPE)
  endif()
endfunction()

# millrace_compile_as_ours(<target> [PRECOMPILED <name>] [ROWLESS])
function(millrace_compile_as_ours target)
  cmake_parse_arguments(arg "ROWLESS" "PRECOMPILED" "" ${ARGN})
  if(NOT arg_PRECOMPILED)
    set(arg_PRECOMPILED core)
  endif()
  target_link_libraries(${target} PRIVATE millrace_flags millrace_headers)
  if(arg_ROWLESS)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  target_precompile_headers(${target} REUSE_FROM millrace_precompiled_${arg_PRECOMPILED})
  target_include_directories(${target} SYSTEM PRIVATE
    ${MILLRACE_GENERATED}/proto ${MILLRACE_GENERATED}/base ${MILLRACE_GENERATED})
  add_dependencies(${target} millrace_error_conditions)
endfunction()

# millrace_executable(<target> SOURCES <file>... [MODULES <name>...] [DIRECTORY <dir>] [LIBRARIES <lib>...] [NO_PROTO]
#                     [PRECOMPILED <name>] [ROWLESS])
# Links MODULES (all of them when not given) before everything foreign; see Dependencies.cmake for the order.
# NO_PROTO: none of MODULES knows Spark Connect's messages.
function(millrace_executable target)
  cmake_parse_arguments(arg "NO_PROTO;ROWLESS" "DIRECTORY;PRECOMPILED" "SOURCES;MODULES;LIBRARIES" ${ARGN})
  if(NOT arg_MODULES)
    get_property(arg_MODULES GLOBAL PROPERTY millrace_modules)
  endif()
  list(TRANSFORM arg_MODULES PREPEND millrace_)
  set(proto millrace_proto)
  if(arg_NO_PROTO)
    set(proto)
  endif()
  set(rowless)
  if(arg_ROWLESS)
    set(rowless ROWLESS)
  endif()
  add_executable(${target} ${arg_SOURCES})
  if(MILLRACE_SANITIZE STREQUAL "thread")
    if(NOT TARGET millrace_thread_sanitizer)
      add_library(millrace_thread_sanitizer OBJECT ${CMAKE_SOURCE_DIR}/cmake/thread_sanitizer.cc)
    endif()
    target_link_libraries(${target} PRIVATE millrace_thread_sanitizer)
  endif()
  millrace_compile_as_ours(${target} PRECOMPILED ${arg_PRECOMPILED} ${rowless})
  target_link_libraries(${target} PRIVATE
    ${arg_LIBRARIES}
    -Wl,--start-group ${arg_MODULES} -Wl,--end-group
    ${proto} millrace_external)
  if(arg_DIRECTORY)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${arg_DIRECTORY})
  endif()
endfunction()

# millrace_module(NAME <name> LAYER <n> DEPS <name>...)
# src/<name>/**/*.cc -> static library millrace_<name>; the *_test.cc among them -> <name>_test, run by ctest.
# A main.cc directly in the folder belongs to a program, not to the library. No folder, no module.
function(millrace_module)
  cmake_parse_arguments(arg "" "NAME;LAYER" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${arg_NAME}/*.cc)
  if(NOT sources)
    return()
  endif()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/src/${arg_NAME}/main.cc)
  millrace_group_sources(sources ${sources})
  millrace_group_sources(tests ${tests})

  add_library(millrace_${arg_NAME} STATIC ${sources})
  set_target_properties(millrace_${arg_NAME} PROPERTIES LINKER_LANGUAGE CXX)
  set(precompiled core)
  foreach(name columns messages command_line)
    if(arg_NAME IN_LIST MILLRACE_PRECOMPILED_${name})
      set(precompiled ${name})
    endif()
  endforeach()
  set(rowless)
  if(arg_NAME IN_LIST MILLRACE_ROWLESS)
    set(rowless ROWLESS)
  endif()
  millrace_compile_as_ours(millrace_${arg_NAME} PRECOMPILED ${precompiled} ${rowless})
  if(arg_LAYER GREATER_EQUAL 6)
    add_dependencies(millrace_${arg_NAME} millrace_proto)  # its headers are generated
    set(no_proto)
  else()
    set(no_proto NO_PROTO)
  endif()
  set_property(GLOBAL APPEND PROPERTY millrace_modules ${arg_NAME})

  if(tests)
    millrace_executable(${arg_NAME}_test SOURCES ${tests} MODULES ${arg_NAME} ${arg_DEPS}
      DIRECTORY ${CMAKE_BINARY_DIR}/tests/unit LIBRARIES gmock gtest gtest_main ${no_proto} PRECOMPILED tests ROWLESS)
    add_test(NAME ${arg_NAME}_test COMMAND ${arg_NAME}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${arg_NAME}_test PROPERTIES
      ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp")
  endif()
endfunction()

# A module depends on the smaller layers and on the names to its left, as the list's own header says.
function(millrace_add_modules list_file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list_file})
  file(STRINGS ${list_file} rows REGEX "^[0-9]")
  foreach(row ${rows})
    separate_arguments(names UNIX_COMMAND "${row}")
    list(POP_FRONT names layer)
    foreach(name ${names})
      get_property(lower GLOBAL PROPERTY millrace_modules)
      millrace_module(NAME ${name} LAYER ${layer} DEPS ${lower})
    endforeach()
  endforeach()
endfunction()

# The target `program`: what a user of ./run build asks for, the examples with the millrace program; the tests, fuzzers and
# benchmarks, a fifth of all, are built by what runs them.
function(millrace_add_examples)
  add_custom_target(program)
  if(TARGET millrace)
    add_dependencies(program millrace)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/cpp/*.cc)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    millrace_executable(example_${name} SOURCES ${source} DIRECTORY ${CMAKE_BINARY_DIR}/examples ROWLESS)
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name})
    add_dependencies(program example_${name})
  endforeach()
endfunction()

function(millrace_add_benchmarks)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    millrace_executable(bench_${name} SOURCES ${source} DIRECTORY ${CMAKE_BINARY_DIR}/bench
      LIBRARIES benchmark benchmark_main)
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name})
  endforeach()
endfunction()

# Each file defines LLVMFuzzerTestOneInput; tests/fuzz/driver/main.cc replays tests/fuzz/corpus/<name>/ and mutations of it.
function(millrace_add_fuzzers)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*.cc)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    millrace_executable(fuzz_${name} SOURCES ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver/main.cc
      DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz ROWLESS)
    set_target_properties(fuzz_${name} PROPERTIES OUTPUT_NAME ${name})
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endforeach()
endfunction()

function(millrace_add_runners)
  file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/runner/*)
  foreach(folder ${folders})
    if(IS_DIRECTORY ${folder})
      get_filename_component(name ${folder} NAME)
      file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
      if(sources)
        millrace_executable(${name} SOURCES ${sources} DIRECTORY ${CMAKE_BINARY_DIR}/tests
          PRECOMPILED messages ROWLESS)
        target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/runner)
      endif()
    endif()
  endforeach()
endfunction()
