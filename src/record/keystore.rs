//! Android's key store: a key that the headset's secure hardware makes and never gives away wraps the master key.
//!
//! All of it is Java, reached by JNI: AES-256-GCM in `AndroidKeyStore`, made the first time, found by its name later.

use bevy::android::ANDROID_APP;
use jni::objects::{JByteArray, JObject, JValue};
use jni::{AttachGuard, JavaVM};
use zeroize::Zeroizing;

use super::guard::Guard;

/// Wraps with the key store's key.
pub(super) const GUARD: Guard = Guard { wrap, unwrap };

/// Name of the wrapping key in the key store.
const ALIAS: &str = "malloc-vr-master";
const STORE: &str = "AndroidKeyStore";
const CIPHER: &str = "AES/GCM/NoPadding";
/// `KeyProperties.PURPOSE_ENCRYPT | PURPOSE_DECRYPT`.
const PURPOSES: i32 = 3;
/// `Cipher.ENCRYPT_MODE` and `DECRYPT_MODE`.
const ENCRYPT: i32 = 1;
const DECRYPT: i32 = 2;
/// GCM's tag, in bits.
const TAG_BITS: i32 = 128;

/// The length of the nonce, the nonce, the sealed key.
fn wrap(key: &[u8]) -> Result<Vec<u8>, String> {
    with_java(|java| {
        let secret = wrapping_key(java)?;
        let cipher = cipher(java)?;
        java.call_method(
            &cipher,
            "init",
            "(ILjava/security/Key;)V",
            &[JValue::Int(ENCRYPT), JValue::Object(&secret)],
        )?;
        let sealed = final_step(java, &cipher, key)?;
        let nonce = java.call_method(&cipher, "getIV", "()[B", &[])?.l()?;
        let nonce = java.convert_byte_array(JByteArray::from(nonce))?;
        let mut wrapped = vec![u8::try_from(nonce.len()).unwrap_or(0)];
        wrapped.extend_from_slice(&nonce);
        wrapped.extend_from_slice(&sealed);
        Ok(wrapped)
    })
}

fn unwrap(wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let Some((nonce, sealed)) = wrapped
        .split_first()
        .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))
    else {
        return Err("it is cut off".to_owned());
    };
    with_java(|java| {
        let secret = wrapping_key(java)?;
        let cipher = cipher(java)?;
        let nonce = java.byte_array_from_slice(nonce)?;
        let parameters = java.new_object(
            "javax/crypto/spec/GCMParameterSpec",
            "(I[B)V",
            &[JValue::Int(TAG_BITS), JValue::Object(&nonce)],
        )?;
        java.call_method(
            &cipher,
            "init",
            "(ILjava/security/Key;Ljava/security/spec/AlgorithmParameterSpec;)V",
            &[
                JValue::Int(DECRYPT),
                JValue::Object(&secret),
                JValue::Object(&parameters),
            ],
        )?;
        final_step(java, &cipher, sealed).map(Zeroizing::new)
    })
}

/// Runs a piece of Java in this thread. An exception is taken back before the thread goes on, and told in words.
fn with_java<T>(
    work: impl FnOnce(&mut AttachGuard<'_>) -> jni::errors::Result<T>,
) -> Result<T, String> {
    let app = ANDROID_APP.get().ok_or("the application has not begun")?;
    // SAFETY: the pointer is the process's Java machine, which lives as long as the process.
    let machine =
        unsafe { JavaVM::from_raw(app.vm_as_ptr().cast()) }.map_err(|error| error.to_string())?;
    let mut java = machine
        .attach_current_thread()
        .map_err(|error| error.to_string())?;
    work(&mut java).map_err(|error| {
        let thrown = java
            .exception_occurred()
            .ok()
            .filter(|thrown| !thrown.is_null());
        let _ = java.exception_clear();
        thrown
            .and_then(|thrown| {
                let text = java
                    .call_method(&thrown, "toString", "()Ljava/lang/String;", &[])
                    .ok()?
                    .l()
                    .ok()?;
                java.get_string(&text.into()).ok().map(String::from)
            })
            .unwrap_or_else(|| error.to_string())
    })
}

/// The key of that name, made where there is none.
fn wrapping_key<'a>(java: &mut AttachGuard<'a>) -> jni::errors::Result<JObject<'a>> {
    let name = java.new_string(STORE)?;
    let alias = java.new_string(ALIAS)?;
    let store = java
        .call_static_method(
            "java/security/KeyStore",
            "getInstance",
            "(Ljava/lang/String;)Ljava/security/KeyStore;",
            &[JValue::Object(&name)],
        )?
        .l()?;
    let nothing = JObject::null();
    java.call_method(
        &store,
        "load",
        "(Ljava/security/KeyStore$LoadStoreParameter;)V",
        &[JValue::Object(&nothing)],
    )?;
    let key = java
        .call_method(
            &store,
            "getKey",
            "(Ljava/lang/String;[C)Ljava/security/Key;",
            &[JValue::Object(&alias), JValue::Object(&nothing)],
        )?
        .l()?;
    if !key.is_null() {
        return Ok(key);
    }
    let builder = java.new_object(
        "android/security/keystore/KeyGenParameterSpec$Builder",
        "(Ljava/lang/String;I)V",
        &[JValue::Object(&alias), JValue::Int(PURPOSES)],
    )?;
    for (method, value) in [
        ("setBlockModes", "GCM"),
        ("setEncryptionPaddings", "NoPadding"),
    ] {
        let value = java.new_string(value)?;
        let values = java.new_object_array(1, "java/lang/String", &value)?;
        java.call_method(
            &builder,
            method,
            "([Ljava/lang/String;)Landroid/security/keystore/KeyGenParameterSpec$Builder;",
            &[JValue::Object(&values)],
        )?;
    }
    java.call_method(
        &builder,
        "setKeySize",
        "(I)Landroid/security/keystore/KeyGenParameterSpec$Builder;",
        &[JValue::Int(256)],
    )?;
    let parameters = java
        .call_method(
            &builder,
            "build",
            "()Landroid/security/keystore/KeyGenParameterSpec;",
            &[],
        )?
        .l()?;
    let algorithm = java.new_string("AES")?;
    let generator = java
        .call_static_method(
            "javax/crypto/KeyGenerator",
            "getInstance",
            "(Ljava/lang/String;Ljava/lang/String;)Ljavax/crypto/KeyGenerator;",
            &[JValue::Object(&algorithm), JValue::Object(&name)],
        )?
        .l()?;
    java.call_method(
        &generator,
        "init",
        "(Ljava/security/spec/AlgorithmParameterSpec;)V",
        &[JValue::Object(&parameters)],
    )?;
    java.call_method(&generator, "generateKey", "()Ljavax/crypto/SecretKey;", &[])?
        .l()
}

fn cipher<'a>(java: &mut AttachGuard<'a>) -> jni::errors::Result<JObject<'a>> {
    let name = java.new_string(CIPHER)?;
    java.call_static_method(
        "javax/crypto/Cipher",
        "getInstance",
        "(Ljava/lang/String;)Ljavax/crypto/Cipher;",
        &[JValue::Object(&name)],
    )?
    .l()
}

fn final_step(
    java: &mut AttachGuard<'_>,
    cipher: &JObject<'_>,
    input: &[u8],
) -> jni::errors::Result<Vec<u8>> {
    let input = java.byte_array_from_slice(input)?;
    let output = java
        .call_method(cipher, "doFinal", "([B)[B", &[JValue::Object(&input)])?
        .l()?;
    java.convert_byte_array(JByteArray::from(output))
}
