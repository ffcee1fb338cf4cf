<?php
/** The client: requests to the daemon and what they mean. It keeps nothing and knows no comment of WordPress. */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

/** What became of a request: the document, or why there is none and whether the same request may succeed later. */
final class Answer {
	public function __construct( public ?array $document, public string $error = '', public bool $may_retry = false ) {}
}

function submit( string $request, string $idempotency_key ): Answer {
	return ask( 'POST', '/v1/comments', $request, array( 'Idempotency-Key' => $idempotency_key ) );
}

function rule( string $hamlet_id, string $ruling, string $by ): Answer {
	$body = wp_json_encode( array( 'ruling' => $ruling, 'by' => $by ) );
	return ask( 'POST', '/v1/comments/' . rawurlencode( $hamlet_id ) . '/ruling', $body );
}

/** Why nothing works, or an empty text. A form token is asked for because that needs the key and changes nothing. */
function problem(): string {
	return '' === setting( 'api_key' ) ? 'No API key is set yet.' : ask( 'GET', '/v1/form-token' )->error;
}

function ask( string $method, string $path, ?string $body = null, array $headers = array() ): Answer {
	$arguments = array(
		'method'      => $method,
		'body'        => $body,
		'timeout'     => (int) setting( 'timeout_seconds' ),
		'redirection' => 0,
		'user-agent'  => 'hamlet-wordpress/' . VERSION,
		'headers'     => $headers + array( 'Authorization' => 'Bearer ' . setting( 'api_key' ), 'Content-Type' => 'application/json' ),
	);
	if ( '' !== setting( 'ca_file' ) ) {
		$arguments['sslcertificates'] = setting( 'ca_file' );
	}
	$response = wp_remote_request( setting( 'url' ) . $path, $arguments );
	if ( is_wp_error( $response ) ) {
		return new Answer( null, 'Hamlet cannot be reached: ' . $response->get_error_message(), true );
	}
	$status   = (int) wp_remote_retrieve_response_code( $response );
	$document = json_decode( wp_remote_retrieve_body( $response ), true );
	if ( $status >= 200 && $status < 300 && is_array( $document ) ) {
		return new Answer( $document );
	}
	$detail = is_array( $document ) ? (string) ( $document['detail'] ?? $document['title'] ?? '' ) : '';
	// A wrong key is the administrator's to mend, and 5xx and 429 pass; what else is refused will always be.
	$may_retry = $status >= 500 || in_array( $status, array( 401, 403, 408, 429 ), true ) || $status < 400;
	return new Answer( null, trim( "Hamlet answered $status. $detail" ), $may_retry );
}
