; The user's PATH in the registry. A string of NSIS holds 1,024 characters, and a PATH may be longer: one that is read into such a
; string comes back empty or cut, and writing that destroys it. So it is edited in memory of the system's, and keeps its type.
;
;   Push "C:\folder"
;   Call AddToPath          ; at the end, unless it is there
;   Call un.RemoveFromPath

!define KEY_ALL_ACCESS 0xF003F
!define HKEY_CURRENT_USER 0x80000001
!define REG_EXPAND_SZ 2

; $0 folder; $1 key; $2 type; $3 size in bytes; $4 buffer; $5 and $6 for the moment.
!macro ReadPath
  System::Call 'advapi32::RegCreateKeyExW(p ${HKEY_CURRENT_USER}, w "Environment", i 0, p 0, i 0, i ${KEY_ALL_ACCESS}, p 0, *p .r1, p 0) i .r5'
  StrCpy $2 ${REG_EXPAND_SZ}
  StrCpy $3 0
  System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, *i .r2, p 0, *i .r3) i .r5'
  ${If} $5 != 0
    StrCpy $2 ${REG_EXPAND_SZ}
    StrCpy $3 0
  ${EndIf}
  ; Zeros, so that it ends even where the registry's text does not; room for the folder, a semicolon and the end.
  IntOp $5 $3 + 2100
  System::Alloc $5
  Pop $4
  System::Call 'ntdll::RtlZeroMemory(p r4, p r5)'
  ${If} $3 > 0
    System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, p 0, p r4, *i r3) i .r5'
  ${EndIf}
!macroend

!macro WritePath
  System::Call 'kernel32::lstrlenW(p r4) i .r5'
  IntOp $5 $5 + 1
  IntOp $5 $5 * 2
  System::Call 'advapi32::RegSetValueExW(p r1, w "Path", i 0, i r2, p r4, i r5)'
  ; Programs that are started from now on get it.
  SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=5000
!macroend

!macro FreePath
  System::Free $4
  System::Call 'advapi32::RegCloseKey(p r1)'
!macroend

!macro KeepRegisters
  Exch $0
  Push $1
  Push $2
  Push $3
  Push $4
  Push $5
  Push $6
!macroend

!macro RestoreRegisters
  Pop $6
  Pop $5
  Pop $4
  Pop $3
  Pop $2
  Pop $1
  Pop $0
!macroend

Function AddToPath
  !insertmacro KeepRegisters
  !insertmacro ReadPath
  System::Call 'shlwapi::StrStrIW(p r4, w r0) p .r5'
  ${If} $5 P= 0
    System::Call 'kernel32::lstrlenW(p r4) i .r5'
    ${If} $5 > 0
      System::Call 'kernel32::lstrcatW(p r4, w ";")'
    ${EndIf}
    System::Call 'kernel32::lstrcatW(p r4, w r0)'
    !insertmacro WritePath
  ${EndIf}
  !insertmacro FreePath
  !insertmacro RestoreRegisters
FunctionEnd

Function un.RemoveFromPath
  !insertmacro KeepRegisters
  !insertmacro ReadPath
  ; With the semicolon before it, which AddToPath wrote, else without one: it was alone.
  StrCpy $6 ";$0"
  System::Call 'shlwapi::StrStrIW(p r4, w r6) p .r5'
  ${If} $5 P= 0
    StrCpy $6 $0
    System::Call 'shlwapi::StrStrIW(p r4, w r6) p .r5'
  ${EndIf}
  ${If} $5 P<> 0
    StrLen $6 $6
    IntOp $6 $6 * 2
    IntPtrOp $6 $5 + $6
    ; What follows it moves to where it began.
    System::Call 'kernel32::lstrlenW(p r6) i .r0'
    IntOp $0 $0 + 1
    IntOp $0 $0 * 2
    System::Call 'ntdll::RtlMoveMemory(p r5, p r6, p r0)'
    System::Call 'kernel32::lstrlenW(p r4) i .r0'
    ${If} $0 = 0
      ; There was none before.
      System::Call 'advapi32::RegDeleteValueW(p r1, w "Path")'
    ${Else}
      !insertmacro WritePath
    ${EndIf}
  ${EndIf}
  !insertmacro FreePath
  !insertmacro RestoreRegisters
FunctionEnd
