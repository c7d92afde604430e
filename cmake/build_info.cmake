# Fills the commit into build_info.h:
#   cmake -DGIT=... -DSOURCE=... -DTEMPLATE=... -DOUTPUT=... -P build_info.cmake
# GIT may be empty, and SOURCE no checkout of its own, as where it was unpacked from an archive.
set(COMMIT unknown)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --abbrev=12 --exclude=* --dirty=+
    OUTPUT_VARIABLE described ERROR_QUIET RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(result EQUAL 0 AND described)
    set(COMMIT ${described})
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT})
